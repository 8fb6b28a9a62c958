// What is loaded for subscriptions alone: its modules import types, and what nothing else of a page has.
import type { SubscribableEvent, SubscribeOptions } from "../../../define/subscription";
import type { ItemReading, ItemStreamEnd } from "../../../lib/itemStream";
import { realClock, type Clock } from "./clock";
import { Feed } from "./feed";
import { Listener, type Enter } from "./listener";
import { subscriptionParts, type ClientParts, type SubscriptionParts } from "./subscriptionParts";

/** Most events that one connection is asked for, as servers have it by default. */
const maxEvents = 100;

/** @internal Options that tunnels add. */
export interface HearingOptions extends SubscribeOptions {
  /** Events come with the paths they took. */
  readonly withPath?: boolean | undefined;
}

/** The subscriptions of one client. Those that begin in one turn of the event loop share a connection. */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #clock: Clock;
  readonly #feeds = new Set<Feed>();
  readonly #shared: { plain?: Feed | undefined; withPath?: Feed | undefined } = {};
  readonly #coming: { readonly listener: Listener; readonly wantsPath: boolean }[] = [];
  #isClosed = false;

  constructor(client: ClientParts, clock: Clock = realClock) {
    this.#parts = subscriptionParts(client);
    this.#clock = clock;
  }

  /**
   * @param events definitions or ids
   * @param enter runs a function in the contexts of what subscribes
   * @throws {TypeError} there is none, or `after` holds something that is no text
   */
  open(events: readonly SubscribableEvent[], options: HearingOptions, end: ItemStreamEnd, enter: Enter): ItemReading {
    const listener = new Listener(readEvents(events, options), options, end, enter);
    if (this.#isClosed) listener.finish();
    if (listener.isOver) return listener;
    if (this.#coming.push({ listener, wantsPath: options.withPath === true }) === 1) onNextTurn(() => this.#begin());
    return listener;
  }

  /** Ends all subscriptions; their loops end without an error. */
  close(): void {
    this.#isClosed = true;
    for (const { listener } of this.#coming.splice(0)) listener.finish();
    for (const feed of this.#feeds) feed.close();
  }

  #begin(): void {
    const joining = new Map<Feed, { readonly listeners: Listener[]; readonly events: Set<string> }>();
    for (const { listener, wantsPath } of this.#coming.splice(0)) {
      const key = wantsPath ? "withPath" : "plain";
      const shared = this.#shared[key];
      const events = new Set(shared && (joining.get(shared)?.events ?? shared.events));
      for (const id of listener.positions.keys()) events.add(id);
      const feed = shared !== undefined && events.size <= maxEvents ? shared : this.#feed(wantsPath);
      // What does not fit begins another connection, which later ones share.
      this.#shared[key] = feed;
      joining.set(feed, { listeners: [...(joining.get(feed)?.listeners ?? []), listener], events });
    }
    for (const [feed, { listeners }] of joining) feed.add(listeners);
  }

  #feed(wantsPath: boolean): Feed {
    const feed = new Feed({
      ...this.#parts,
      clock: this.#clock,
      wantsPath,
      onEmpty: (empty) => {
        this.#feeds.delete(empty);
        if (this.#shared.plain === empty) this.#shared.plain = undefined;
        if (this.#shared.withPath === empty) this.#shared.withPath = undefined;
      },
      onRefusedTogether: (listener) => this.#feed(wantsPath).add([listener]),
    });
    this.#feeds.add(feed);
    return feed;
  }
}

/** The ids of the events, each once. */
function readEvents(events: readonly unknown[], { after }: { readonly after?: unknown }): string[] {
  if (!Array.isArray(events) || events.length === 0) {
    throw new TypeError("subscribe takes a list of events, by definition or id, with one at least.");
  }
  const ids = events.map((event: unknown) => {
    const { kind, id } = (event ?? {}) as { readonly kind?: unknown; readonly id?: unknown };
    const stated = typeof event === "string" ? event : kind === "event" ? id : undefined;
    if (typeof stated === "string") return stated;
    throw new TypeError(`subscribe takes events, by definition or id, got ${kind ? String(kind) : typeof event}.`);
  });
  if (after !== undefined && (typeof after !== "object" || after === null)) {
    throw new TypeError("after of a subscription is an object: ids of events, and the id of the last one of each.");
  }
  for (const [id, cursor] of Object.entries(after ?? {})) {
    if (cursor !== undefined && typeof cursor !== "string") {
      throw new TypeError(`after["${id}"] of a subscription must be a string, got ${typeof cursor}.`);
    }
    if (!ids.includes(id)) throw new TypeError(`after["${id}"] is of an event that is not subscribed to.`);
  }
  return [...new Set(ids)];
}

type Schedule = (callback: () => void) => unknown;

function onNextTurn(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: Schedule };
  if (setImmediate !== undefined) setImmediate(callback);
  else setTimeout(callback, 0);
}
