import type { FormMemory } from "./formMemory";

/** What a form wants to know of its files. */
export interface FetchPartOwner {
  readonly memory: FormMemory;
  /** A reader waits for more, has made room, or is gone. */
  onMoved(): void;
}

/** One file of a form: what arrives is given to its reader, or kept until there is one. */
export class FetchPart {
  readonly #owner: FetchPartOwner;
  readonly #kept: Uint8Array[] = [];
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #hasRead = false;
  #isComplete = false;
  #isGone = false;
  #error: Error | undefined;
  /** Gives a reader that waits what has come. */
  #wake: (() => void) | undefined;

  constructor(owner: FetchPartOwner) {
    this.#owner = owner;
  }

  /** Something reads it, or has taken steps to. */
  get isAttended(): boolean {
    return this.#hasRead || this.#stream?.locked === true;
  }

  /** Something may still read it. */
  get isOpen(): boolean {
    return !this.#isGone;
  }

  /** A reader waits for bytes that have not arrived. */
  get isStarving(): boolean {
    return this.#wake !== undefined;
  }

  /** The stream of its bytes; asked for once. */
  open(): ReadableStream<Uint8Array> {
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#give(),
        cancel: () => this.destroy(),
      },
      { highWaterMark: 0 },
    );
    if (this.#isGone) this.#controller?.error(this.#error ?? new Error(lost));
    return this.#stream;
  }

  offer(piece: Uint8Array): void {
    if (this.#isGone) return;
    this.#owner.memory.hold(piece);
    this.#kept.push(piece);
    this.#wakeReader();
  }

  /** Nothing more comes. */
  complete(): void {
    this.#isComplete = true;
    this.#wakeReader();
  }

  /** Drops what is left. Its reader, and one that comes later, fails with the error. */
  destroy(error?: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#error = error;
    for (const piece of this.#kept.splice(0)) this.#owner.memory.release(piece);
    // After its reader has cancelled it, this does nothing.
    this.#controller?.error(error ?? new Error(lost));
    this.#wakeReader();
    this.#owner.onMoved();
  }

  /** Hands out the next piece, now or when there is one. */
  async #give(): Promise<void> {
    this.#hasRead = true;
    if (this.#kept.length === 0 && !this.#isComplete && !this.#isGone) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#owner.onMoved();
      await woken;
    }
    // Its reader may have left meanwhile.
    if (this.#isGone) return;
    const piece = this.#kept.shift();
    if (piece === undefined) {
      this.#isGone = true;
      this.#controller?.close();
    } else {
      this.#owner.memory.release(piece);
      this.#controller?.enqueue(piece);
    }
    this.#owner.onMoved();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const lost = "The file was not read while it arrived, and is gone.";
