import type { ResolvedSubscriptionLimits } from "../../protocol/subscriptions";

/** One emission, as it is sent to every subscriber. */
export interface Published {
  /** Its place among the emissions of its event: 1, 2, 3... */
  readonly seq: number;
  /** Absent where its payload cannot be sent. */
  readonly line: Uint8Array | undefined;
  /** What subscribers that are other processes of the same system are sent beside it. */
  readonly path: Uint8Array | undefined;
}

interface Kept extends Published {
  readonly atMs: number;
  readonly bytes: number;
}

/** The last emissions of one event, limited in number, bytes and age. */
export class ReplayRing {
  readonly #limits: ResolvedSubscriptionLimits["ring"];
  readonly #now: () => number;
  #kept: Kept[] = [];
  /** Where the oldest one is: the front is cut off now and then. */
  #first = 0;
  #bytes = 0;

  /** @param now the time in ms, which only grows */
  constructor(limits: ResolvedSubscriptionLimits["ring"], now = (): number => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  add(published: Published): void {
    const bytes = (published.line?.byteLength ?? 0) + (published.path?.byteLength ?? 0);
    this.#kept.push({ ...published, atMs: this.#now(), bytes });
    this.#bytes += bytes;
    this.#forget();
  }

  /** Those behind a place that are still there. */
  after(seq: number): readonly Published[] {
    this.#forget();
    const oldest = this.#kept[this.#first];
    return oldest === undefined ? [] : this.#kept.slice(this.#first + Math.max(0, seq + 1 - oldest.seq));
  }

  #forget(): void {
    const { count, bytes, ageMs } = this.#limits;
    const oldestMs = this.#now() - ageMs;
    for (;;) {
      const oldest = this.#kept[this.#first];
      if (oldest === undefined) break;
      const isKept = this.#kept.length - this.#first <= count && this.#bytes <= bytes && oldest.atMs >= oldestMs;
      if (isKept) break;
      this.#bytes -= oldest.bytes;
      this.#first += 1;
    }
    if (this.#first < compactFrom || this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }
}

/** How many forgotten ones may be at the front before they are cut off. */
const compactFrom = 64;
