import type { SubscriptionGap } from "../../../define/subscription";
import type { EmissionPath } from "../../../lib/emissionPath";
import type { Listener } from "./listener";
import { advanced, isPast, readPosition, type Position } from "./position";
import type { SubscriptionInput } from "./subscriptionParts";

/** What an event is for those that listen to it. */
export interface Hearing {
  readonly id: string;
  readonly listeners: readonly Listener[];
  readonly path: EmissionPath | undefined;
}

/**
 * Where the events of one connection stand, beside where each of its listeners does: one connection may begin behind the place
 * of one listener and before that of another.
 */
export class Places {
  readonly #listeners: readonly Listener[];
  /** Where the server was asked to go on. */
  readonly #asked = new Map<string, Position>();
  /** Where each event stood when the connection began. */
  readonly #opened = new Map<string, Position>();
  /** How far the connection has brought each event. */
  readonly #reached = new Map<string, Position>();
  /** The path of the event that comes next, by the id of the event. */
  #path: { readonly event: string; readonly path: EmissionPath } | undefined;

  constructor(listeners: readonly Listener[]) {
    this.#listeners = listeners;
    for (const { positions } of listeners) for (const [event, position] of positions) this.#ask(event, position);
  }

  /** The earliest place of each event, of those that one server can know. */
  #ask(event: string, position: Position | undefined): void {
    if (position === undefined) return;
    const asked = this.#asked.get(event);
    if (asked === undefined || isPast(asked, position)) this.#asked.set(event, position);
  }

  /** Runs a function in the contexts of what subscribed first. */
  enter<T>(fn: () => T): T {
    const [first] = this.#listeners;
    return first === undefined ? fn() : first.enter(fn);
  }

  input(): SubscriptionInput {
    const events = [...new Set(this.#listeners.flatMap(({ positions }) => [...positions.keys()]))];
    if (this.#asked.size === 0) return { events };
    return { events, after: Object.fromEntries([...this.#asked].map(([event, { text }]) => [event, text])) };
  }

  /** Takes the first line. @returns whether it makes sense */
  begin(open: unknown): boolean {
    if (typeof open !== "object" || open === null) return false;
    for (const event of this.input().events) {
      const position = Object.hasOwn(open, event) ? readPosition((open as Record<string, unknown>)[event]) : undefined;
      if (position === undefined) return false;
      this.#opened.set(event, position);
      const asked = this.#asked.get(event);
      this.#reached.set(event, asked !== undefined && isPast(position, asked) ? asked : position);
    }
    return true;
  }

  /** Has a listener follow the connection from its first line on. @returns what it misses that the server does not tell */
  open({ positions }: Listener): readonly SubscriptionGap[] {
    const gaps: SubscriptionGap[] = [];
    for (const [event, position] of positions) {
      const opened = this.#opened.get(event) as Position;
      // Adopted only where the server was not told a place.
      if (position === undefined) positions.set(event, opened);
      else if (position.epoch !== this.#asked.get(event)?.epoch || isAhead(position, opened)) {
        positions.set(event, opened);
        gaps.push({ event, reason: "unknown", missed: null });
      }
    }
    return gaps;
  }

  /** Has a listener follow a connection that is under way. @returns whether that brings all it asks for */
  startAt({ positions }: Listener): boolean {
    for (const [event, position] of positions) {
      if (position !== undefined || !this.#reached.has(event)) return false;
    }
    for (const event of positions.keys()) positions.set(event, this.#reached.get(event));
    return true;
  }

  keepPath(told: unknown): void {
    const { event, id, via } = (told ?? {}) as {
      readonly event?: unknown;
      readonly id?: unknown;
      readonly via?: unknown;
    };
    if (typeof event !== "string" || typeof id !== "string" || typeof via !== "string") return;
    this.#path = { event, path: { id, via: via.split(", ") } };
  }

  /** @returns what each listener is told; `undefined` for a gap that makes no sense */
  miss(gap: unknown, listeners: readonly Listener[]): readonly (readonly [Listener, SubscriptionGap])[] | undefined {
    const { event, reason, missed } = (gap ?? {}) as { readonly [K in keyof SubscriptionGap]?: unknown };
    const opened = typeof event === "string" ? this.#opened.get(event) : undefined;
    if (opened === undefined || typeof event !== "string" || typeof reason !== "string") return undefined;
    if (missed === null) return this.#missUnknown(event, reason, opened, listeners);
    if (typeof missed !== "number" || !Number.isSafeInteger(missed) || missed < 1) return undefined;
    const base = this.#reached.get(event) as Position;
    const reached = advanced(base, missed);
    this.#reached.set(event, reached);
    return this.#behind(event, reached, listeners).map((listener) => {
      const from = listener.positions.get(event) as Position;
      listener.positions.set(event, reached);
      return [listener, { event, reason, missed: reached.seq - Math.max(from.seq, base.seq) }] as const;
    });
  }

  /** The server does not know the place it was asked for: it goes on from where the event stands. */
  #missUnknown(event: string, reason: string, opened: Position, listeners: readonly Listener[]) {
    return listeners
      .filter(({ positions }) => positions.has(event) && !isPast(opened, positions.get(event) ?? opened))
      .map((listener) => {
        listener.positions.set(event, opened);
        return [listener, { event, reason, missed: null }] as const;
      });
  }

  /** @returns `undefined` for an event that makes no sense */
  hear(event: string, id: unknown, listeners: readonly Listener[]): Hearing | undefined {
    const position = readPosition(id);
    if (position === undefined || !this.#opened.has(event)) return undefined;
    this.#reached.set(event, position);
    const path = this.#path?.event === event ? this.#path.path : undefined;
    this.#path = undefined;
    const hearing = this.#behind(event, position, listeners);
    for (const { positions } of hearing) positions.set(event, position);
    return { id: position.text, listeners: hearing, path };
  }

  #behind(event: string, position: Position, listeners: readonly Listener[]): Listener[] {
    return listeners.filter(({ positions }) => {
      const at = positions.get(event);
      return positions.has(event) && (at === undefined || !isPast(at, position));
    });
  }
}

/** Whether a place is one that no server can have given yet. It was not told to the server where another one is before it. */
const isAhead = (stated: Position, opened: Position): boolean => isPast(stated, opened) && !isPast(opened, stated);
