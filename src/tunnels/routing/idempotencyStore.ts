/** What a store knows of a key. */
export interface IdempotencyEntry {
  /**
   * `"new"`: the key was free, and the store holds it for this call now; `"running"`: it is held for another call; `"done"`:
   * there is a reply; `"conflict"`: the key belongs to another input.
   */
  readonly state: "new" | "running" | "done" | "conflict";
  /** With `"done"`: what `finish` was given. */
  readonly reply?: string | undefined;
}

/** How long a key is kept. */
export interface IdempotencyTimes {
  /** How long a reply is remembered, in ms from `finish` on. */
  readonly ttlMs: number;
  /**
   * How long a key is held without `renew`, in ms: then what ran is taken for lost, and the next `begin` with the same input gets
   * the key. Until then the one that had it may still renew it.
   */
  readonly leaseMs: number;
}

/**
 * Remembers which calls were made, and what they replied. Shared by all servers of a task, it makes a call with a key happen
 * once, whichever of them the call and its repetitions reach.
 *
 * Each object is a holder of its own: it knows which keys it was given, and `renew`, `finish` and `abandon` do nothing for a key
 * that another one was given since. A store that cannot answer rejects: the call is then refused with 503, and never made on a
 * guess.
 *
 * @see readmes/IDEMPOTENCY.md
 */
export interface IdempotencyStore {
  /** Largest reply that it keeps, in characters. Default 1,000,000. */
  readonly maxReplyChars?: number | undefined;
  /**
   * Takes a key, or says what is known of it. Of several that come at once, in any number of processes, one gets `"new"`.
   *
   * @param key names task, caller and key: any text of up to some hundred characters
   * @param inputHash of what the call was given
   */
  begin(key: string, inputHash: string, times: IdempotencyTimes): Promise<IdempotencyEntry>;
  /** Holds a key for another `leaseMs`. @returns `false` where this store no longer holds it */
  renew(key: string): Promise<boolean>;
  /**
   * Keeps the reply of a call whose key this store holds; does nothing where it does not.
   *
   * @returns `false` where this store no longer holds the key, so that the reply was not kept
   */
  finish(key: string, reply: string): Promise<boolean | void>;
  /** Forgets a key that this store holds, as if the call had not been made; does nothing where it does not. */
  abandon(key: string): Promise<void>;
}
