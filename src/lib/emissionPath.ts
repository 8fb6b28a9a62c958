/** The way that an emission has taken between processes. */
export interface EmissionPath {
  /** Names the emission; absent where the process that sent it names none. */
  readonly id: string | undefined;
  /** Ids of the runs that it passed, the first one first. */
  readonly via: readonly string[];
}

/** Where an emission that leaves a run comes from. */
export interface EmissionOrigin {
  /** The event manager of the run. */
  readonly run: object;
  readonly emission: { readonly id: string; readonly source: string; readonly stopPropagation: () => void };
  /** What the emission shares with the call that it came in by. */
  readonly scope: { readonly origin?: string | undefined; readonly path?: EmissionPath | undefined } | undefined;
}

/** As clients take the origin of an emission that they send. */
export interface OriginOption {
  readonly origin?: EmissionOrigin | undefined;
}
