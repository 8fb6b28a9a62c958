/** How calls are put together. */
export interface BatchConfig {
  /** Most calls of one request: a server takes 256 unless it says otherwise. Default 64. */
  readonly maxItems?: number | undefined;
  /** Largest request, in bytes. A call that is larger goes by itself. Default 262,144. */
  readonly maxBytes?: number | undefined;
}

/** Configures clients that may batch. */
export interface BatchingConfig {
  /**
   * Sends the calls that are made in one turn of the event loop in one request. A call that is alone in its turn, and one with
   * files, streams, progress callbacks or a signal that no other call has, goes by itself as always. Default false.
   *
   * @see readmes/BATCHING.md
   */
  readonly batch?: boolean | BatchConfig | undefined;
}
