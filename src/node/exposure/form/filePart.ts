import type { Readable } from "node:stream";
import { currentSlots, enterSlots, type ContextSlots } from "../../../platform/contextScope";
import { PartStream } from "./partStream";
import type { Spilled, UploadBuffer } from "./uploadBuffer";

/** What a form wants to know of its files. */
export interface FilePartOwner {
  readonly buffer: UploadBuffer;
  /** There is one more file that may be read. */
  onOpen(): void;
  /** A reader waits for more, or has made room. */
  onMoved(): void;
  /** Nothing reads this file any more. */
  onGone(): void;
  /** A reader waits for bytes that have not arrived, or does not any more. */
  onStarving(part: FilePart, isStarving: boolean): void;
}

/**
 * One file of a form: what arrives is given to its reader, or kept until there is one.
 *
 * The stream is made when it is asked for. Most files of a form with many are small and complete by then.
 */
export class FilePart {
  readonly #owner: FilePartOwner;
  readonly #kept: (Buffer | Spilled)[] = [];
  #stream: PartStream | undefined;
  /** What its reader finds around it. */
  #slots: ContextSlots | undefined;
  #isComplete = false;
  #isFetching = false;
  #isStarving = false;
  #isGone = false;
  /** Why there is nothing to read. */
  #error: Error | undefined;

  constructor(owner: FilePartOwner) {
    this.#owner = owner;
    owner.onOpen();
  }

  /** The stream of its bytes; asked for once. What listens to it finds the slots that are current now. */
  open(): Readable {
    const stream = new PartStream(this);
    this.#slots = currentSlots();
    this.#stream = stream;
    return stream;
  }

  /** Something reads it, or has taken steps to. */
  get isAttended(): boolean {
    return this.#stream?.isAttended === true;
  }

  /** @returns false when the reader is not ready for it and no memory is left */
  offer(chunk: Buffer): boolean {
    if (this.#isGone) return true;
    if (this.#isStarving) {
      this.#starve(false);
      const stream = this.#stream;
      if (stream?.isQuiet === true) stream.pass(chunk);
      else this.#enter(() => stream?.pass(chunk));
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
    if (this.#isStarving) this.#enter(() => this.give());
  }

  /** Nothing more comes. */
  complete(): void {
    this.#isComplete = true;
    if (this.#isStarving) this.#enter(() => this.give());
  }

  /** Drops what is left. Its reader, and one that comes later, fails with the error. */
  destroy(error?: Error): void {
    if (this.#isGone) return;
    this.#error = error;
    if (this.#stream === undefined) this.drop();
    else this.#enter(() => this.#stream?.destroy(error));
  }

  /** Hands out the next chunk, now or when there is one. */
  give(): void {
    const stream = this.#stream;
    if (this.#isFetching || stream === undefined) return;
    if (this.#isGone) {
      stream.destroy(this.#error ?? new Error("The file was not read while it arrived, and is gone."));
      return;
    }
    const next = this.#kept.shift();
    this.#starve(next === undefined && !this.#isComplete);
    if (next === undefined) {
      if (this.#isComplete) stream.pass(null);
      else this.#owner.onMoved();
      return;
    }
    if (Buffer.isBuffer(next)) {
      this.#owner.buffer.release(next);
      stream.pass(next);
      this.#owner.onMoved();
      return;
    }
    this.#isFetching = true;
    this.#owner.buffer.read(next).then(
      (chunk) => {
        this.#isFetching = false;
        if (stream.destroyed) return;
        stream.pass(chunk);
        this.#owner.onMoved();
      },
      (error: Error) => stream.destroy(error),
    );
  }

  /** The stream was destroyed, or there will be none. */
  drop(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const chunk of this.#kept) if (Buffer.isBuffer(chunk)) this.#owner.buffer.release(chunk);
    this.#kept.length = 0;
    this.#stream = undefined;
    this.#starve(false);
    this.#owner.onGone();
  }

  #enter(fn: () => void): void {
    enterSlots(this.#slots, fn);
  }

  #starve(isStarving: boolean): void {
    if (this.#isStarving === isStarving) return;
    this.#isStarving = isStarving;
    this.#owner.onStarving(this, isStarving);
  }
}

/** Whether two chunks in the file can be read as one. */
const isFollowedBy = (last: Buffer | Spilled, next: Spilled): last is Spilled =>
  !Buffer.isBuffer(last) && last.at + last.length === next.at && last.length + next.length <= readBytes;

const readBytes = 65_536;
