import { Readable } from "node:stream";
import type { Spilled, UploadBuffer } from "./uploadBuffer";

/** What a form wants to know of its files. */
export interface FilePartOwner {
  readonly buffer: UploadBuffer;
  /** A reader waits for more, or has made room. */
  onMoved(): void;
  /** Nobody reads this file any more. */
  onGone(): void;
}

/**
 * One file of a form, as a stream: what arrives is given to its reader, or kept until there is one.
 */
export class FilePart extends Readable {
  readonly #owner: FilePartOwner;
  readonly #kept: (Buffer | Spilled)[] = [];
  #isComplete = false;
  #isFetching = false;
  #isStarving = false;

  constructor(owner: FilePartOwner) {
    super();
    this.#owner = owner;
  }

  /** A reader waits for bytes that have not arrived. */
  get isStarving(): boolean {
    return this.#isStarving;
  }

  /** Somebody reads, or has taken steps to. */
  get isAttended(): boolean {
    return this.readableFlowing !== null || this.readableDidRead || this.listenerCount("readable") > 0;
  }

  /** @returns false when the reader is not ready for it and no memory is left */
  offer(chunk: Buffer): boolean {
    if (this.destroyed) return true;
    if (this.#isStarving) {
      this.#isStarving = false;
      this.push(chunk);
      return true;
    }
    if (!this.#owner.buffer.reserve(chunk)) return false;
    this.#kept.push(chunk);
    return true;
  }

  /** Keeps a chunk where memory has no room for it. */
  async spill(chunk: Buffer): Promise<void> {
    const spilled = await this.#owner.buffer.spill(chunk);
    const last = this.#kept.at(-1);
    if (last !== undefined && isFollowedBy(last, spilled)) {
      this.#kept[this.#kept.length - 1] = { at: last.at, length: last.length + spilled.length };
    } else this.#kept.push(spilled);
    if (this.#isStarving) this.#give();
  }

  /** Nothing more comes. */
  complete(): void {
    this.#isComplete = true;
    if (this.#isStarving) this.#give();
  }

  override _read(): void {
    if (!this.#isFetching) this.#give();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const chunk of this.#kept) if (Buffer.isBuffer(chunk)) this.#owner.buffer.release(chunk);
    this.#kept.length = 0;
    this.#isStarving = false;
    // A file that nobody reads may fail; that must not be thrown at the process.
    done(this.listenerCount("error") === 0 ? null : error);
    this.#owner.onGone();
  }

  #give(): void {
    this.#isStarving = false;
    const next = this.#kept.shift();
    if (next === undefined) {
      if (this.#isComplete) this.push(null);
      else {
        this.#isStarving = true;
        this.#owner.onMoved();
      }
      return;
    }
    if (Buffer.isBuffer(next)) {
      this.#owner.buffer.release(next);
      this.push(next);
      this.#owner.onMoved();
      return;
    }
    this.#isFetching = true;
    this.#owner.buffer.read(next).then(
      (chunk) => {
        this.#isFetching = false;
        if (this.destroyed) return;
        this.push(chunk);
        this.#owner.onMoved();
      },
      (error: Error) => this.destroy(error),
    );
  }
}

/** Whether two chunks in the file can be read as one. */
const isFollowedBy = (last: Buffer | Spilled, next: Spilled): last is Spilled =>
  !Buffer.isBuffer(last) && last.at + last.length === next.at && last.length + next.length <= readBytes;

const readBytes = 64 * 1024;
