import type { HeardEvent, SubscribeOptions, SubscriptionGap } from "../../../define/subscription";
import type { ItemReading, ItemStreamEnd } from "../../../lib/itemStream";
import { endOfItems, WaitingReaders, type ReadingEnd } from "../../../lib/waitingReaders";
import { statedPosition, type Position } from "./position";

type Result = IteratorResult<HeardEvent, undefined>;
type Entry = { readonly heard: HeardEvent; readonly chars: number } | { readonly gap: SubscriptionGap };

/** What tells the other side of a listener. */
export interface ListenerOwner {
  /** It has room for events again. */
  onRoom(): void;
  /** It wants no more. */
  onLeft(listener: Listener): void;
}

/** Runs a function in some contexts. */
export type Enter = <T>(fn: () => T) => T;
const atOnce: Enter = (fn) => fn();

/** Characters of lines that wait for one loop; what comes beyond them is left out, and told. */
export const roomChars = 4_194_304;

/** One subscription: what its loop has not taken yet. */
export class Listener implements ItemReading {
  /** Ids, each with the place behind which it goes on; `undefined` until that is known. */
  readonly positions = new Map<string, Position | undefined>();
  readonly enter: Enter;
  readonly #options: SubscribeOptions;
  readonly #readers: WaitingReaders<HeardEvent>;
  #owner: ListenerOwner | undefined;
  #entries: Entry[] = [];
  #at = 0;
  #chars = 0;
  #skipped = new Map<string, number>();

  /** @param enter runs a function in the contexts of what subscribed */
  constructor(events: readonly string[], options: SubscribeOptions, end: ItemStreamEnd, enter: Enter = atOnce) {
    this.#options = options;
    this.#readers = new WaitingReaders(end);
    this.enter = enter;
    const { after = {}, signal } = options;
    for (const id of events) {
      const text = Object.hasOwn(after, id) ? after[id] : undefined;
      this.positions.set(id, text === undefined ? undefined : statedPosition(text));
    }
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted === true) this.#onAbort();
  }

  /** @param owner told when it has room, and when it leaves */
  joinTo(owner: ListenerOwner): void {
    this.#owner = owner;
  }

  get isOver(): boolean {
    return this.#readers.isOver;
  }

  get hasRoom(): boolean {
    return this.#chars < roomChars;
  }

  /** @param chars length of the line that it came by */
  hear(heard: HeardEvent, chars: number): void {
    if (this.isOver) return;
    if (!this.hasRoom) {
      this.#skip(heard.event, 1);
      return;
    }
    this.#entries.push({ heard, chars });
    this.#chars += chars;
    this.#give();
  }

  miss(gap: SubscriptionGap): void {
    if (this.isOver) return;
    if (!this.hasRoom && gap.missed !== null) {
      this.#skip(gap.event, gap.missed);
      return;
    }
    this.#entries.push({ gap });
    this.#give();
  }

  /** It is listened to, from its positions on. */
  opened(): void {
    if (this.isOver) return;
    const positions = Object.fromEntries([...this.positions].map(([event, at]) => [event, at?.text ?? ""]));
    this.#guarded(() => this.enter(() => this.#options.onOpen?.(positions)));
  }

  /** What waits is still read. */
  finish(): void {
    this.#settle({ isFailure: false });
  }

  /** What waits is still read, then the loop rejects. */
  fail(error: unknown): void {
    this.#settle({ isFailure: true, error });
  }

  next(): Promise<Result> {
    return this.#readers.next(() => this.#give());
  }

  return(): Promise<Result> {
    this.#forget();
    this.finish();
    return Promise.resolve(endOfItems);
  }

  #skip(event: string, missed: number): void {
    this.#skipped.set(event, (this.#skipped.get(event) ?? 0) + missed);
  }

  readonly #onAbort = (): void => {
    this.#forget();
    this.fail(this.#options.signal?.reason);
  };

  #forget(): void {
    this.#entries = [];
    this.#at = 0;
    this.#chars = 0;
    this.#skipped.clear();
  }

  /** Gives what has come to the loop that waits for it. */
  #give(): void {
    while (this.#readers.isAny) {
      const entry = this.#entries[this.#at];
      if (entry === undefined) {
        this.#entries = [];
        this.#at = 0;
        if (this.#tellSkipped()) continue;
        this.#readers.giveEnd();
        return;
      }
      this.#entries[this.#at++] = undefined as never; // read, and not held any longer
      if ("gap" in entry) this.#guarded(() => this.enter(() => this.#options.onGap?.(entry.gap)));
      else {
        this.#chars -= entry.chars;
        this.#readers.give(entry.heard);
        this.#owner?.onRoom();
      }
    }
  }

  #tellSkipped(): boolean {
    if (this.#skipped.size === 0) return false;
    for (const [event, missed] of this.#skipped) this.#entries.push({ gap: { event, reason: "slow", missed } });
    this.#skipped.clear();
    return true;
  }

  /** Calls a function of the caller's, which ends the subscription by throwing. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#forget();
      this.fail(error);
    }
  }

  #settle(outcome: ReadingEnd): void {
    if (this.isOver) return;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#readers.settle(outcome);
    this.#owner?.onLeft(this);
    this.#give();
  }
}
