import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { requestAborted } from "../../../errors/wireErrors";
import type { ItemsBody } from "../../../tunnels/protocol/wire";
import { assertUnread, type BodySource } from "./requestText";

type Result = IteratorResult<Uint8Array, undefined>;

/** The lines of a request that sends items, read as its task asks for them. */
export class RequestItems implements ItemsBody {
  readonly kind = "items";
  readonly stream = { [Symbol.asyncIterator]: () => this.#open() };
  /** Its call was admitted as a stream, and waits for no reply that comes soon. */
  onReading: (() => void) | undefined;
  readonly #req: IncomingMessage;
  readonly #source: Pick<BodySource, "open">;

  constructor(req: IncomingMessage, source: Pick<BodySource, "open">) {
    this.#req = req;
    this.#source = source;
  }

  /** @throws {Error} something else has read the request @throws {WireFailure} 415 */
  #open(): AsyncIterator<Uint8Array, undefined> {
    assertUnread(this.#req);
    this.onReading?.();
    return new Chunks(this.#source.open(this.#req, Infinity));
  }
}

/**
 * The chunks of a stream, each read when it is asked for. Not its own iterator: that destroys the request with its connection,
 * and while it waits for a chunk it can be neither left nor read by anything else.
 */
class Chunks implements AsyncIterator<Uint8Array, undefined> {
  readonly #stream: Readable;
  #waiting: { resolve(result: Result): void; reject(error: unknown): void } | undefined;
  #end: { readonly error?: unknown } | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("error", this.#onError)
      .on("close", this.#onClose)
      .pause();
    if (stream.destroyed) this.#onClose();
  }

  next(): Promise<Result> {
    if (this.#end !== undefined) return "error" in this.#end ? Promise.reject(this.#end.error) : over();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#stream.resume();
    });
  }

  /** The rest is left where it is: what has become of it is the reply's concern. */
  return(): Promise<Result> {
    this.#settle({});
    this.#stream.off("data", this.#onData).pause();
    return over();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#stream.pause();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ done: false, value: chunk });
  };
  readonly #onEnd = (): void => this.#settle({});
  readonly #onError = (error: unknown): void => this.#settle({ error });
  /** The connection was lost, unless the end was there before. */
  readonly #onClose = (): void => this.#settle({ error: requestAborted() });

  #settle(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if ("error" in end) waiting.reject(end.error);
    else waiting.resolve({ done: true, value: undefined });
  }
}

const over = (): Promise<Result> => Promise.resolve({ done: true, value: undefined });
