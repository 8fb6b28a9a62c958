import type { HeardEvent, SubscribeOptions } from "../../define/subscription";
import type { ItemReading, ItemStreamEnd } from "../../lib/itemStream";

/** The events that a subscription of this process is for, heard already. */
export interface LocalHearing {
  readonly ids: readonly string[];
  /** What was emitted before this was there. */
  readonly early: readonly Emitted[];
  /** Calls a function with each emission from now on. */
  hearBy(hear: (emitted: Emitted) => void): void;
  /** Hears no more. */
  end(): void;
  /** @param end called when the run ends. @returns what takes that back */
  onRunEnd(end: () => void): () => void;
}

export interface Emitted {
  readonly event: string;
  readonly payload: unknown;
}

type Result = IteratorResult<HeardEvent, undefined>;
type Entry = Emitted & { readonly missed?: number | null };

/** Most events that wait for one loop; what comes beyond them is left out, and told. */
const maxWaiting = 1000;

/** Events of this process, as a loop reads them. Nothing is kept beside what waits: a place to go on from is not known. */
export class LocalSubscription implements ItemReading {
  readonly #hearing: LocalHearing;
  readonly #options: SubscribeOptions;
  readonly #end: ItemStreamEnd;
  readonly #epoch = randomText();
  readonly #seqs = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #stopListening: () => void;
  #entries: Entry[] = [];
  #readers: { resolve(result: Result): void; reject(error: unknown): void }[] = [];
  #outcome: { readonly error?: unknown; readonly isFailure: boolean } | undefined;

  /** @throws {TypeError} there are no events */
  constructor(hearing: LocalHearing, options: SubscribeOptions, end: ItemStreamEnd) {
    if (hearing.ids.length === 0) {
      throw new TypeError("subscribe takes a list of events, by definition or id, with one at least.");
    }
    this.#hearing = hearing;
    this.#options = options;
    this.#end = end;
    this.#stopListening = hearing.onRunEnd(() => this.#settle({ isFailure: false }));
    const { after = {}, signal, onOpen } = options;
    this.#guarded(() => onOpen?.(Object.fromEntries(hearing.ids.map((id) => [id, this.#idOf(id)]))));
    for (const event of hearing.ids) {
      if (after[event] !== undefined) this.#entries.push({ event, payload: undefined, missed: null });
    }
    for (const emitted of hearing.early) this.#hear(emitted);
    hearing.hearBy((emitted) => this.#hear(emitted));
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted === true) this.#onAbort();
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#give();
    });
  }

  return(): Promise<Result> {
    this.#entries = [];
    this.#skipped.clear();
    this.#settle({ isFailure: false });
    return Promise.resolve(ended);
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  #hear(emitted: Emitted): void {
    if (this.#outcome !== undefined) return;
    if (this.#entries.length >= maxWaiting) {
      this.#skipped.set(emitted.event, (this.#skipped.get(emitted.event) ?? 0) + 1);
      return;
    }
    this.#entries.push(emitted);
    this.#give();
  }

  #give(): void {
    while (this.#readers.length > 0) {
      const entry = this.#entries.shift();
      if (entry === undefined) {
        if (this.#tellSkipped()) continue;
        if (this.#outcome !== undefined) this.#giveEnd(this.#outcome);
        return;
      }
      const { event, payload, missed } = entry;
      const seq = (this.#seqs.get(event) ?? 0) + (missed ?? 1);
      if (missed === null) this.#guarded(() => this.#options.onGap?.({ event, reason: "unknown", missed }));
      else {
        this.#seqs.set(event, seq);
        if (missed !== undefined) this.#guarded(() => this.#options.onGap?.({ event, reason: "slow", missed }));
        else this.#readers.shift()?.resolve({ done: false, value: { event, id: this.#idOf(event), payload } });
      }
    }
  }

  #tellSkipped(): boolean {
    for (const [event, missed] of this.#skipped) this.#entries.push({ event, payload: undefined, missed });
    this.#skipped.clear();
    return this.#entries.length > 0;
  }

  #giveEnd({ error, isFailure }: { readonly error?: unknown; readonly isFailure: boolean }): void {
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (isFailure) reject(error);
      else resolve(ended);
      // A loop is told once why it ended.
      this.#outcome = { isFailure: false };
      isFailure = false;
    }
  }

  #idOf(event: string): string {
    return `${this.#epoch}-${this.#seqs.get(event) ?? 0}`;
  }

  /** Calls a function of the caller's, which ends the subscription by throwing. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#entries = [];
    this.#skipped.clear();
    this.#settle({ isFailure: true, error });
  }

  #settle(outcome: { readonly error?: unknown; readonly isFailure: boolean }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#hearing.end();
    this.#stopListening();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (outcome.isFailure) this.#end.reject(outcome.error);
    else this.#end.resolve();
    this.#give();
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
