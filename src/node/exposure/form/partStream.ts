import { Readable } from "node:stream";

/** Where the bytes of a stream come from. */
export interface PartSource {
  /** Passes on the next chunk, now or when there is one. */
  give(): void;
  /** Nothing reads any more. */
  drop(): void;
}

/**
 * What a task reads a file from: an ordinary stream, but for `for await`.
 *
 * Node iterates through a generator, eight listeners and the buffer of the stream, which is most of what a small file
 * costs. Here the chunks go from the source to the loop, and only the end goes through the stream.
 */
export class PartStream extends Readable {
  readonly #source: PartSource;
  #loop: PartLoop | undefined;

  constructor(source: PartSource) {
    super();
    this.#source = source;
  }

  // @ts-expect-error -- the types call it a property; in Node it is an accessor
  override get readableDidRead(): boolean {
    const loop = this.#loop;
    return loop === undefined ? Reflect.get(Readable.prototype, "readableDidRead", this) : loop.hasTaken;
  }

  /** Something reads it, or has taken steps to. */
  get isAttended(): boolean {
    return (
      this.#loop !== undefined ||
      this.readableFlowing !== null ||
      this.readableDidRead ||
      this.listenerCount("readable") > 0
    );
  }

  /** No listener is called with what is passed. */
  get isQuiet(): boolean {
    return this.#loop !== undefined && this.listenerCount("data") === 0;
  }

  /** @param chunk `null` at the end */
  pass(chunk: Buffer | null): void {
    if (this.#loop === undefined) this.push(chunk);
    else if (chunk !== null) {
      if (!this.isQuiet) this.emit("data", chunk);
      this.#loop.receive(chunk);
    } else {
      // Once it has been asked for more, it does not wait a turn to see its end.
      this.read(0);
      this.push(null);
      this.read();
    }
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer> {
    if (this.destroyed || this.isAttended || this.readableLength > 0) return this.iterateAsNode();
    this.#loop = new PartLoop(this, this.#source);
    return this.#loop as AsyncIterableIterator<Buffer> as NodeJS.AsyncIterator<Buffer>;
  }

  iterateAsNode(): NodeJS.AsyncIterator<Buffer> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Buffer>;
  }

  override _read(): void {
    if (this.#loop === undefined) this.#source.give();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A file that nothing reads may fail; that must not be thrown at the process.
    done(this.listenerCount("error") === 0 ? null : error);
    this.#source.drop();
    this.#loop?.conclude();
  }
}

type Step = IteratorResult<Buffer, undefined>;

/** One `for await` over a stream. */
class PartLoop implements AsyncIterableIterator<Buffer, undefined> {
  /** A chunk was handed out. */
  hasTaken = false;
  readonly #stream: PartStream;
  readonly #source: PartSource;
  /** The step that waits for a chunk or for the end, and what settles it. */
  #pending: Promise<Step> | undefined;
  #settle: ((step: Step | Promise<Step>) => void) | undefined;
  /** Given while it was asked for. */
  #received: Step | undefined;
  #isOver = false;

  constructor(stream: PartStream, source: PartSource) {
    this.#stream = stream;
    this.#source = source;
  }

  next(): Promise<Step> {
    if (this.#pending !== undefined) {
      const nextOne = (): Promise<Step> => this.next();
      return this.#pending.then(nextOne, nextOne);
    }
    if (!this.#isOver && !this.#stream.destroyed) this.#source.give();
    const received = this.#received;
    this.#received = undefined;
    if (received !== undefined) return Promise.resolve(received);
    if (this.#stream.destroyed) return this.#last();
    return (this.#pending = new Promise((resolve) => (this.#settle = resolve)));
  }

  return(): Promise<Step> {
    this.#isOver = true;
    this.#stream.destroy();
    return Promise.resolve(over);
  }

  throw(error: unknown): Promise<Step> {
    this.#isOver = true;
    this.#stream.destroy();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  receive(chunk: Buffer): void {
    this.hasTaken = true;
    const step = { done: false, value: chunk } as const;
    if (this.#settle === undefined) this.#received = step;
    else this.#settlePending(step);
  }

  /** The stream was destroyed, as it is at its end, too. */
  conclude(): void {
    if (this.#settle !== undefined) this.#settlePending(this.#last());
  }

  #settlePending(step: Step | Promise<Step>): void {
    const settle = this.#settle;
    this.#pending = undefined;
    this.#settle = undefined;
    settle?.(step);
  }

  #last(): Promise<Step> {
    const { readableEnded, errored } = this.#stream;
    const isGood = this.#isOver || (readableEnded && errored === null);
    this.#isOver = true;
    // It knows how to name what went wrong.
    return isGood ? Promise.resolve(over) : (this.#stream.iterateAsNode().next() as Promise<Step>);
  }
}

const over: Step = { done: true, value: undefined };
