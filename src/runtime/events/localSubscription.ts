import type { IEventEmission } from "../../define/event";
import type { HeardEvent, SubscribeOptions } from "../../define/subscription";
import type { ItemReading, ItemStreamEnd } from "../../lib/itemStream";
import { endOfItems, WaitingReaders, type ReadingEnd } from "../../lib/waitingReaders";

/** What has been emitted since a subscription of this process began, and what receives the rest. */
interface Hearing {
  readonly ids: readonly string[];
  readonly early: readonly IEventEmission[];
  hear: (emission: IEventEmission) => void;
}

/** The run that is listened to, as far as a subscription needs it. */
export interface LocalHearing {
  readonly hearing: Hearing;
  /** Each ends the hearing of one event. */
  readonly taps: readonly (() => void)[];
  readonly cells: { readonly events: ReadonlyMap<string, unknown> };
  readonly state: { readonly phase: string };
  readonly drains: { add(server: { readonly longestMs: number; drain(): Promise<void> }): () => void };
  /** Rejects with why an event cannot be listened to. */
  readonly refuseEvent: (event: string) => Promise<never>;
}

/** Goes on with what has been heard. @throws {Error} (as a rejection) one of the events is not registered */
export async function subscribeHere(
  run: LocalHearing,
  options: SubscribeOptions,
  end: ItemStreamEnd,
): Promise<ItemReading> {
  const { hearing, taps, cells, state, refuseEvent } = run;
  try {
    const refused = hearing.ids.find((id) => state.phase !== "open" || !cells.events.has(id));
    if (refused !== undefined) return await refuseEvent(refused);
    if (hearing.ids.length > 0) {
      // Before anything is held that its listener would have to give back.
      options.signal?.throwIfAborted();
      return new LocalSubscription(run, options, end);
    }
    throw new TypeError("subscribe takes a list of events, by definition or id, with one at least.");
  } catch (error) {
    for (const untap of taps) untap();
    throw error;
  }
}

interface Emitted {
  readonly event: string;
  readonly payload: unknown;
}

type Result = IteratorResult<HeardEvent, undefined>;
type Entry = Emitted & { readonly missed?: number | null };

/** Most events that wait for one loop; what comes beyond them is left out, and told. */
const maxWaiting = 1000;

/** Events of this process, as a loop reads them. Nothing is kept beside what waits: a place to go on from is not known. */
class LocalSubscription implements ItemReading {
  readonly #taps: LocalHearing["taps"];
  readonly #options: SubscribeOptions;
  readonly #readers: WaitingReaders<HeardEvent>;
  readonly #epoch = randomText();
  readonly #seqs = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #stopListening: () => void;
  #entries: Entry[] = [];

  constructor({ hearing, taps, drains }: LocalHearing, options: SubscribeOptions, end: ItemStreamEnd) {
    this.#taps = taps;
    this.#options = options;
    this.#readers = new WaitingReaders(end);
    // Runs end their servers first, and this is one that needs no time.
    this.#stopListening = drains.add({ longestMs: 0, drain: async () => this.#settle({ isFailure: false }) });
    const { after = {}, signal, onOpen } = options;
    this.#guarded(() => onOpen?.(Object.fromEntries(hearing.ids.map((id) => [id, this.#idOf(id)]))));
    for (const event of hearing.ids) {
      if (after[event] !== undefined) this.#entries.push({ event, payload: undefined, missed: null });
    }
    const hear = ({ id, data }: IEventEmission): void => this.#hear({ event: id, payload: data });
    hearing.early.forEach(hear);
    hearing.hear = hear;
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted === true) this.#onAbort();
  }

  next(): Promise<Result> {
    return this.#readers.next(() => this.#give());
  }

  return(): Promise<Result> {
    this.#entries = [];
    this.#skipped.clear();
    this.#settle({ isFailure: false });
    return Promise.resolve(endOfItems);
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  #hear(emitted: Emitted): void {
    if (this.#readers.isOver) return;
    if (this.#entries.length >= maxWaiting) {
      this.#skipped.set(emitted.event, (this.#skipped.get(emitted.event) ?? 0) + 1);
      return;
    }
    this.#entries.push(emitted);
    this.#give();
  }

  #give(): void {
    while (this.#readers.isAny) {
      const entry = this.#entries.shift();
      if (entry === undefined) {
        if (this.#tellSkipped()) continue;
        this.#readers.giveEnd();
        return;
      }
      const { event, payload, missed } = entry;
      const seq = (this.#seqs.get(event) ?? 0) + (missed ?? 1);
      if (missed === null) this.#guarded(() => this.#options.onGap?.({ event, reason: "unknown", missed }));
      else {
        this.#seqs.set(event, seq);
        if (missed !== undefined) this.#guarded(() => this.#options.onGap?.({ event, reason: "slow", missed }));
        else this.#readers.give({ event, id: this.#idOf(event), payload });
      }
    }
  }

  #tellSkipped(): boolean {
    for (const [event, missed] of this.#skipped) this.#entries.push({ event, payload: undefined, missed });
    this.#skipped.clear();
    return this.#entries.length > 0;
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

  #settle(outcome: ReadingEnd): void {
    if (this.#readers.isOver) return;
    for (const untap of this.#taps) untap();
    this.#stopListening();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#readers.settle(outcome);
    this.#give();
  }
}

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
