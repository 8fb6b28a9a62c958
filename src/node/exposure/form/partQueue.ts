import type { Readable } from "node:stream";
import type { FilePart } from "./filePart";

/** The form that is put in its places. */
export interface QueueOwner {
  /** How it ended is known: nothing is placed any more. */
  readonly isOver: boolean;
  /** What has no reader must not keep up what comes behind it. */
  readonly isUrgent: boolean;
  /** A file part was read to its end. */
  onRead(part: FilePart | undefined, source: Readable): void;
  /** Nothing waits any more. */
  onCleared(): void;
  /** A chunk could not be put aside. */
  onLost(): void;
}

/** What waits for its turn behind a chunk that has no place yet: another chunk, or the end of a file. */
interface Waiting {
  readonly part: FilePart;
  readonly source: Readable;
  /** `null` at the end of the file. */
  readonly chunk: Buffer | null;
}

/**
 * Gives the chunks of a form to the files they belong to, in the order of the form and at the pace of the readers.
 *
 * Only when waiting would never end, because the manifest or a file that is being read comes behind one that is not, is
 * the one in front put aside.
 */
export class PartQueue {
  readonly #owner: QueueOwner;
  /** In the order it arrived: the parser goes on with what it was given, whatever it is told. */
  readonly #waiting: Waiting[] = [];
  readonly #starving = new Set<FilePart>();
  #isHeld = false;
  #moves = 0;
  #seenMoves = 0;
  /** How many looks in a row have found it held back by a task that does not read. */
  #heldLooks = 0;
  #isSettingAside = false;
  #isMoving = false;
  #isSpilling = false;

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  /** How often something was read, or could have been. */
  get moves(): number {
    return this.#moves;
  }

  /** @returns false when the parser is to wait */
  take(part: FilePart, source: Readable, chunk: Buffer): boolean {
    if (this.#waiting.length === 0 && part.offer(chunk)) return true;
    this.#isHeld = true;
    this.#waiting.push({ part, source, chunk });
    this.move();
    return this.#waiting.length === 0;
  }

  /** @param part of which nothing more comes; `undefined` for one that is not kept */
  finish(part: FilePart | undefined, source: Readable): void {
    if (part === undefined || this.#waiting.length === 0) this.#owner.onRead(part, source);
    else this.#waiting.push({ part, source, chunk: null });
  }

  /** Moves on what waits, as far as there is a place for it or a reason to make one. */
  move(): void {
    this.#moves += 1;
    // A reader that is given something may ask for more in the middle of it.
    if (this.#isMoving || this.#waiting.length === 0) return;
    this.#isMoving = true;
    while (!this.#owner.isOver && !this.#isSpilling) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#place(next)) break;
      this.#shift();
    }
    this.#isMoving = false;
  }

  setStarving(part: FilePart, isStarving: boolean): void {
    if (isStarving) this.#starving.add(part);
    else this.#starving.delete(part);
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Whether something waits, or has waited since the last look: the sender has the time until the next one to go on. */
  look(): boolean {
    const isHeld = this.#isHeld || this.#waiting.length > 0;
    this.#isHeld = this.#waiting.length > 0;
    if (isHeld) this.#considerSettingAside();
    return isHeld;
  }

  /** @returns false when it has to go on waiting */
  #place({ part, source, chunk }: Waiting): boolean {
    if (chunk === null) {
      this.#owner.onRead(part, source);
      return true;
    }
    if (part.offer(chunk)) return true;
    const isUrgent = this.#owner.isUrgent || this.#isSettingAside;
    if (isUrgent || this.#isAnotherStarving(part)) void this.#spill(part, chunk);
    return false;
  }

  async #spill(part: FilePart, chunk: Buffer): Promise<void> {
    this.#isSpilling = true;
    try {
      await part.spill(chunk);
    } catch {
      this.#owner.onLost();
      return;
    }
    this.#isSpilling = false;
    this.#shift();
    this.move();
  }

  /** The parser takes the next chunk once nothing of the last one waits. */
  #shift(): void {
    const source = this.#waiting.shift()?.source;
    if (this.#waiting.length > 0) return;
    source?._read(0);
    this.#owner.onCleared();
  }

  #isAnotherStarving(blocked: FilePart): boolean {
    return this.#starving.size > (this.#starving.has(blocked) ? 1 : 0);
  }

  /**
   * A connection that is not read from does not show that its caller has left. What its task does not read for a while
   * is therefore put aside.
   */
  #considerSettingAside(): void {
    const isMoving = this.#moves !== this.#seenMoves;
    this.#seenMoves = this.#moves;
    this.#heldLooks = isMoving ? 0 : this.#heldLooks + 1;
    this.#isSettingAside = this.#heldLooks >= looksPerIdle;
    if (this.#isSettingAside) this.move();
  }
}

/** A body is looked at so often in the time for which it may stand still. */
const looksPerIdle = 4;
