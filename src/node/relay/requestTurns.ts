/** A request that is under way, or waits for those before it. */
export interface RequestTurn {
  readonly start: () => void;
  /** The connection is gone, and the request has not ended. */
  readonly drop: () => void;
}

/** Requests of one connection that are carried at a time, and that wait beyond those. */
const maxActive = 8;
const maxWaiting = 64;

/**
 * The requests of one connection that were sent without waiting for answers (RFC 9112 section 9.3.2).
 *
 * Node parses all of them at once: without turns one connection could take all streams of a session. And of several
 * Node tells only the first that the visitor has left.
 */
export class RequestTurns {
  /** A list, since V8 keeps what a set has held until the next major collection, and with it the request. */
  readonly #active: RequestTurn[] = [];
  #waiting: RequestTurn[] | undefined;

  /** Whether a request is under way. */
  get isTaken(): boolean {
    return this.#active.length > 0;
  }

  /** Starts at once, or after some of those before it. @returns whether there was room to wait */
  take(turn: RequestTurn): boolean {
    if (this.#active.length < maxActive) {
      this.#active.push(turn);
      turn.start();
      return true;
    }
    this.#waiting ??= [];
    return this.#waiting.length < maxWaiting && this.#waiting.push(turn) > 0;
  }

  /** The request is over. @param isLost whether its connection is, too */
  end(turn: RequestTurn, isLost: boolean): void {
    const place = this.#active.indexOf(turn);
    if (place === -1) return;
    this.#active.splice(place, 1);
    if (isLost || this.#waiting === undefined) return;
    const next = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#waiting = undefined;
    if (next !== undefined) this.take(next);
  }

  /** The connection is gone. */
  lose(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { drop } of [...this.#active, ...waiting]) drop();
  }
}
