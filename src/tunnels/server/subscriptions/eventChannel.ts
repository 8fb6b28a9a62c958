import type { GapReason, ResolvedSubscriptionLimits } from "../../protocol/subscriptions";
import { randomHex } from "../../../lib/hex";
import { ReplayRing, type Published } from "./replayRing";
import type { Subscriber } from "./subscriber";

/** How the lines of an event are written. */
export interface ChannelLines {
  /** @returns `undefined` for a payload that cannot be sent */
  event(id: string, payload: unknown): Uint8Array | undefined;
  gap(reason: GapReason, missed: number | null): Uint8Array;
}

/** What a subscriber that has just come is sent of one event. */
export interface Opening {
  /** Where the event stands. */
  readonly position: string;
  readonly lines: readonly Uint8Array[];
}

/**
 * The emissions of one event, from the first subscription to it on: until then no place among them is known to anything
 * outside.
 */
export class EventChannel {
  readonly id: string;
  readonly #lines: ChannelLines;
  readonly #ring: ReplayRing;
  /** Random, so that a place in the emissions of another event or another process is not taken for one of these. */
  readonly #epoch = randomHex(8);
  readonly #subscribers = new Map<Subscriber, { readonly wantsPath: boolean }>();
  #seq = 0;
  #keepsPaths = false;

  constructor(id: string, limits: ResolvedSubscriptionLimits["ring"], lines: ChannelLines) {
    this.id = id;
    this.#lines = lines;
    this.#ring = new ReplayRing(limits);
  }

  /** Whether the path of emissions is asked for. */
  get keepsPaths(): boolean {
    return this.#keepsPaths;
  }

  /** Sends an emission to all subscribers, written once. */
  publish(payload: unknown, path: Uint8Array | undefined): void {
    this.#seq += 1;
    const line = this.#lines.event(this.#idOf(this.#seq), payload);
    this.#ring.add({ seq: this.#seq, line, path });
    const lost = line === undefined ? this.#lines.gap("expired", 1) : undefined;
    for (const [subscriber, { wantsPath }] of this.#subscribers) {
      if (line !== undefined) subscriber.publish(this.id, line, wantsPath ? path : undefined);
      else if (lost !== undefined) subscriber.tell(lost);
    }
  }

  /**
   * Adds a subscriber: what it is sent first, and what is emitted from now on, are all there is.
   *
   * @param after the place behind which it goes on; `undefined` for what is emitted from now on
   */
  add(subscriber: Subscriber, after: string | undefined, wantsPath: boolean): Opening {
    this.#keepsPaths ||= wantsPath;
    this.#subscribers.set(subscriber, { wantsPath });
    return { position: this.#idOf(this.#seq), lines: after === undefined ? [] : this.#replay(after, wantsPath) };
  }

  delete(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  #idOf(seq: number): string {
    return `${this.#epoch}-${seq}`;
  }

  #replay(after: string, wantsPath: boolean): Uint8Array[] {
    const seq = this.#seqOf(after);
    if (seq === undefined) return [this.#lines.gap("unknown", null)];
    const lines: Uint8Array[] = [];
    let expected = seq + 1;
    const tellMissed = (next: number): void => {
      if (next > expected) lines.push(this.#lines.gap("expired", next - expected));
    };
    for (const published of this.#ring.after(seq)) {
      if (published.line === undefined) continue;
      tellMissed(published.seq);
      lines.push(...linesOf(published, wantsPath));
      expected = published.seq + 1;
    }
    tellMissed(this.#seq + 1);
    return lines;
  }

  /** @returns `undefined` for what is no place among these emissions, or not yet */
  #seqOf(after: string): number | undefined {
    const prefix = `${this.#epoch}-`;
    const digits = after.startsWith(prefix) ? after.slice(prefix.length) : "";
    if (!/^(0|[1-9]\d{0,15})$/.test(digits)) return undefined;
    const seq = Number(digits);
    return seq > this.#seq ? undefined : seq;
  }
}

function linesOf({ line, path }: Published, wantsPath: boolean): Uint8Array[] {
  return [path, line].filter((each) => each !== undefined && (wantsPath || each === line)) as Uint8Array[];
}
