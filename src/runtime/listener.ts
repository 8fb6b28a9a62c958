import type { IEventEmission } from "../define/event";

/** A listener, ready to be called. */
export interface Listener {
  /** Id of the hook, or what `addListener` was given. */
  readonly id: string | undefined;
  readonly order: number;
  readonly filter: ((emission: IEventEmission) => boolean) | undefined;
  readonly run: (emission: IEventEmission) => unknown;
}
