import { Readable } from "node:stream";
import type { Spilled, Spool } from "./spool";

/** What a form wants to know of its files. */
export interface FilePartOwner {
  /** A reader waits for more, has made room, or is gone. */
  onMoved(): void;
}

/**
 * One file of a form, as a stream: what arrives is given to its reader, or kept until there is one.
 */
export class FilePart extends Readable {
  readonly #spool: Spool;
  readonly #owner: FilePartOwner;
  readonly #kept: (Buffer | Spilled)[] = [];
  #isComplete = false;
  #isFetching = false;
  #isStarving = false;

  constructor(spool: Spool, owner: FilePartOwner) {
    super();
    this.#spool = spool;
    this.#owner = owner;
    // A file that nobody reads may fail; that must not be thrown at the process.
    this.on("error", () => {});
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
    if (!this.#spool.reserve(chunk.byteLength)) return false;
    this.#kept.push(chunk);
    return true;
  }

  /** Keeps a chunk where memory has no room for it. */
  async spill(chunk: Buffer): Promise<void> {
    const spilled = await this.#spool.spill(chunk);
    this.#kept.push(spilled);
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
    for (const chunk of this.#kept) if (Buffer.isBuffer(chunk)) this.#spool.release(chunk.byteLength);
    this.#kept.length = 0;
    this.#isStarving = false;
    done(error);
    this.#owner.onMoved();
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
      this.#spool.release(next.byteLength);
      this.push(next);
      this.#owner.onMoved();
      return;
    }
    this.#isFetching = true;
    this.#spool.read(next).then(
      (chunk) => {
        this.#isFetching = false;
        if (!this.destroyed) this.push(chunk);
      },
      (error: Error) => this.destroy(error),
    );
  }
}
