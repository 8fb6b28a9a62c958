import type { Msg } from "@nats-io/transport-node";
import { TunnelError } from "../../../errors/tunnelError";
import { frameCredit, grantEvery } from "../itemFrames";
import { frameNumberHeader } from "../messageHeaders";

/** What reading the frames of one reply takes. */
export interface ReceivedFramesParts {
  /** The task that replies, for messages. */
  readonly subject: string;
  /** Tells the worker how many frames were taken in all. */
  readonly grant: (taken: number) => void;
  /** Tells the worker that no more are wanted. */
  readonly cancel: () => void;
  /** Called once, however it ends. */
  readonly onEnd: () => void;
}

type Result = IteratorResult<Uint8Array, undefined>;

/** The bytes of a reply of items, out of numbered frames. What has come before a gap is still read; then it fails. */
export class ReceivedFrames implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #parts: ReceivedFramesParts;
  readonly #chunks: Uint8Array[] = [];
  #next = 1;
  #taken = 0;
  #granted = 0;
  #isOver = false;
  #failure: Error | undefined;
  #reader: { resolve(result: Result): void; reject(error: Error): void } | undefined;

  constructor(parts: ReceivedFramesParts) {
    this.#parts = parts;
  }

  /** @param kind as the frame says */
  receive(kind: string, message: Msg): void {
    if (this.#isOver) return;
    if (kind === "cut") return this.fail(this.#lost("its worker has cut it"));
    const number = message.headers?.get(frameNumberHeader);
    if (number !== String(this.#next)) {
      this.#parts.cancel();
      return this.fail(this.#lost(`frame ${this.#next} is missing, and "${number}" has come`));
    }
    this.#next += 1;
    if (kind === "end") return this.#end(message.data);
    if (this.#chunks.length >= frameCredit) {
      this.#parts.cancel();
      return this.fail(this.#lost(`more than ${frameCredit} frames have come that were not asked for`));
    }
    this.#add(message.data);
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#finish();
  }

  next(): Promise<Result> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#take();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#isOver) return Promise.resolve(ended);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  /** The reader wants no more. */
  return(): Promise<Result> {
    this.#chunks.length = 0;
    if (!this.#isOver) this.#parts.cancel();
    this.#finish();
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(bytes: Uint8Array): void {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#chunks.push(bytes);
      return;
    }
    this.#reader = undefined;
    this.#take();
    reader.resolve({ done: false, value: bytes });
  }

  #take(): void {
    this.#taken += 1;
    if (this.#isOver || this.#taken - this.#granted < grantEvery) return;
    this.#granted = this.#taken;
    this.#parts.grant(this.#taken);
  }

  /** @param bytes the last ones, which a worker that ends sends without credit */
  #end(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#add(bytes);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reader = this.#reader;
    this.#reader = undefined;
    if (this.#failure === undefined) reader?.resolve(ended);
    else reader?.reject(this.#failure);
    this.#parts.onEnd();
  }

  #lost(how: string): TunnelError {
    const { subject } = this.#parts;
    return new TunnelError("STREAM_LOST", `The stream of ${subject} was lost: ${how}.`, {
      subject,
      delivered: "unknown",
    });
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
