/** A failure, as it crosses the wire. */
export interface WireError {
  readonly message: string;
  readonly code: string;
  /** Id of the error helper that was thrown. */
  readonly id?: string | undefined;
  readonly data?: unknown;
  readonly httpCode?: number | undefined;
}

/** The JSON body of every reply. Reserved: `meta`. */
export type Envelope =
  { readonly ok: true; readonly result?: unknown } | { readonly ok: false; readonly error: WireError };

/** Envelope type for annotations in applications; see `Envelope` for what is really sent. */
export interface ProtocolEnvelope<T = unknown> {
  ok: boolean;
  result?: T | undefined;
  error?:
    { code: string; message: string; details?: unknown; httpCode?: number; id?: string; data?: unknown } | undefined;
  meta?: { protocolVersion?: number; traceId?: string; taskVersion?: number } | undefined;
}
