import type { ItemsBody } from "../protocol/wire";
import { openPieces } from "./bytePieces";
import { assertUnread } from "./fetchText";

/** The lines of a request that sends items, read as its task asks for them. */
export class RequestItems implements ItemsBody {
  readonly kind = "items";
  readonly stream = { [Symbol.asyncIterator]: () => this.#open() };
  /** Its call was admitted as a stream, and waits for no reply that comes soon. */
  onReading: (() => void) | undefined;
  readonly #request: Request;

  /** @throws {Error} something else has read the request */
  constructor(request: Request) {
    assertUnread(request);
    this.#request = request;
  }

  #open(): AsyncIterator<Uint8Array, undefined> {
    this.onReading?.();
    const { body } = this.#request;
    const pieces = body === null ? undefined : openPieces(body);
    return {
      async next() {
        const value = await pieces?.next();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      async return() {
        pieces?.release();
        return { done: true, value: undefined };
      },
    };
  }
}
