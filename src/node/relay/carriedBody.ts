import { Readable } from "node:stream";
import type { TunnelBodyTransform } from "./hooks/hookContract";

/** Most that can be looked at of a body, in bytes. */
const mostPeekedBytes = 1_048_576;

/** A body between the one who sends it and the one who receives it: it can be looked at, and changed on its way. */
export class CarriedBody {
  readonly #source: Readable | undefined;
  readonly #onFirstRead: () => void;
  #chunks: AsyncIterator<Buffer> | undefined;
  readonly #peeked: Buffer[] = [];
  #hasEnded = false;
  #transforms: TunnelBodyTransform[] = [];

  /**
   * @param source `undefined` where the message has no body
   * @param onFirstRead before the source is read, which a sender may wait for
   */
  constructor(source: Readable | undefined, onFirstRead: () => void = () => {}) {
    this.#source = source;
    this.#onFirstRead = onFirstRead;
  }

  /** Whether some of it was read, so that its sender no longer waits. */
  get isBegun(): boolean {
    return this.#chunks !== undefined;
  }

  /** Whether it was, or will be, changed. */
  get isTransformed(): boolean {
    return this.#transforms.length > 0;
  }

  /** @throws {RangeError} more is asked for than can be held */
  async peek(maxBytes: number): Promise<Buffer> {
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 0 || maxBytes > mostPeekedBytes) {
      throw new RangeError(`peekBody takes a number of bytes from 0 to ${mostPeekedBytes}, got ${String(maxBytes)}.`);
    }
    let bytes = this.#peeked.reduce((sum, chunk) => sum + chunk.length, 0);
    while (bytes < maxBytes && !this.#hasEnded && this.#source !== undefined) {
      const next = await this.#iterate(this.#source).next();
      if (next.done === true) this.#hasEnded = true;
      else {
        this.#peeked.push(next.value);
        bytes += next.value.length;
      }
    }
    return Buffer.concat(this.#peeked).subarray(0, maxBytes);
  }

  transform(transform: TunnelBodyTransform): void {
    if (typeof transform !== "function") throw new TypeError("transformBody takes a function of the body.");
    if (this.#source !== undefined) this.#transforms.push(transform);
  }

  /** What is sent on; `undefined` where that is the source itself. */
  take(): Readable | undefined {
    const source = this.#source;
    if (source === undefined || (this.#chunks === undefined && !this.isTransformed)) return undefined;
    const whole = this.#chunks === undefined ? source : toReadable(this.#rest(source));
    return this.#transforms.reduce<Readable>((body, transform) => {
      const changed = toReadable(bytesOf(transform(body)));
      // Whatever ends the one ends the other: the source of a transform that fails would wait for ever.
      if (body !== source) changed.once("close", () => body.destroy());
      body.once("error", (error) => changed.destroy(error));
      return changed;
    }, whole);
  }

  /** What was not taken is nothing that anything waits for any more. */
  release(): void {
    void this.#chunks?.return?.();
  }

  async *#rest(source: Readable): AsyncGenerator<Buffer> {
    yield* this.#peeked.splice(0);
    const chunks = this.#iterate(source);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }

  #iterate(source: Readable): AsyncIterator<Buffer> {
    if (this.#chunks === undefined) this.#onFirstRead();
    // The source is a connection's, which an answer still needs.
    return (this.#chunks ??= source.iterator({ destroyOnReturn: false }));
  }
}

const toReadable = (bytes: AsyncIterable<Uint8Array>): Readable => Readable.from(bytes, { objectMode: false });

async function* bytesOf(changed: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of changed) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
