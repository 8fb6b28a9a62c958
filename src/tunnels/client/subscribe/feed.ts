import type { EmissionPath } from "../../../lib/emissionPath";
import type { HeardEvent } from "../../../define/subscription";
import { retryDelayMs, type Clock } from "./clock";
import { judgeEnd, judgeFailure, type Refusal } from "./connectionFailure";
import type { ReadLine } from "./link";
import type { Listener, ListenerOwner } from "./listener";
import { openLink, type OpenLink, type OpeningParts } from "./openLink";
import { Places } from "./places";

/** An event, with the path that it took, where that was asked for. */
export interface HeardWithPath extends HeardEvent {
  readonly path?: EmissionPath | undefined;
}

/** What a feed is made of. */
export interface FeedParts extends OpeningParts {
  readonly clock: Clock;
  /** Nothing listens any more. */
  readonly onEmpty: (feed: Feed) => void;
  /** One of several listeners has to be tried alone: what was refused may be another one's. */
  readonly onRefusedTogether: (listener: Listener) => void;
}

/** Keeps one connection for all that listens to it: reconnects, and goes on where it stood. */
export class Feed implements ListenerOwner {
  readonly #parts: FeedParts;
  /** Each with the link that brings its events, once there is one. */
  readonly #listeners = new Map<Listener, OpenLink | undefined>();
  #current: OpenLink | undefined;
  #isConnecting = false;
  /** Ends the wait before the next try. */
  #wake = new AbortController();
  /** Ends the try under way. */
  #trying: AbortController | undefined;
  #failures = 0;
  #onRoom: (() => void) | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Ids of all that is listened to. */
  get events(): ReadonlySet<string> {
    return new Set([...this.#listeners.keys()].flatMap((listener) => [...listener.positions.keys()]));
  }

  add(listeners: readonly Listener[]): void {
    for (const listener of listeners) {
      if (listener.isOver) continue;
      listener.joinTo(this);
      this.#listeners.set(listener, this.#joinCurrent(listener));
    }
    this.#wake.abort();
    void this.#connect();
  }

  /** Ends all subscriptions without an error. */
  close(): void {
    for (const listener of [...this.#listeners.keys()]) listener.finish();
  }

  onRoom(): void {
    this.#onRoom?.();
  }

  onLeft(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    this.#onRoom?.();
    if (this.#listeners.size > 0) return;
    this.#wake.abort();
    this.#trying?.abort();
    this.#drop(this.#current);
    this.#current = undefined;
    this.#parts.onEmpty(this);
  }

  /** What the link brings already needs no other one, if the listener does not go on from an earlier place. */
  #joinCurrent(listener: Listener): OpenLink | undefined {
    const current = this.#current;
    if (current === undefined || !current.places.startAt(listener)) return undefined;
    listener.opened();
    return current;
  }

  get #isConnected(): boolean {
    return this.#current !== undefined && [...this.#listeners.values()].every((link) => link === this.#current);
  }

  /** Connects until all listeners have a link. Never rejects. */
  async #connect(lost?: Extract<Refusal, { isFinal: false }>): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    try {
      if (lost !== undefined) await this.#wait(lost.askedMs);
      while (this.#listeners.size > 0 && !this.#isConnected) {
        const refusal = await this.#try();
        if (refusal === undefined) continue;
        if (refusal.isFinal) this.#refuse(refusal);
        else await this.#wait(refusal.askedMs);
      }
    } finally {
      this.#isConnecting = false;
    }
  }

  async #wait(askedMs?: number): Promise<void> {
    this.#wake = new AbortController();
    const delayMs = retryDelayMs(this.#failures, askedMs, this.#parts.clock);
    this.#failures += 1;
    await this.#parts.clock.wait(delayMs, this.#wake.signal);
  }

  /** @returns why there is no link, if there is none */
  async #try(): Promise<Refusal | undefined> {
    const listeners = [...this.#listeners.keys()];
    const stop = (this.#trying = new AbortController());
    const places = new Places(listeners);
    let opened: OpenLink | Refusal;
    try {
      opened = await openLink(this.#parts, places, stop);
    } catch (error) {
      stop.abort();
      if (this.#listeners.size === 0) return undefined;
      return judgeFailure(error);
    } finally {
      if (this.#trying === stop) this.#trying = undefined;
    }
    if (!("link" in opened)) return opened;
    if (this.#listeners.size === 0) {
      this.#drop(opened);
      return undefined;
    }
    this.#failures = 0;
    this.#drop(this.#current);
    this.#current = opened;
    for (const listener of listeners) {
      if (listener.isOver || !this.#listeners.has(listener)) continue;
      this.#listeners.set(listener, opened);
      for (const gap of places.open(listener)) listener.miss(gap);
      listener.opened();
    }
    void this.#read(opened);
    return undefined;
  }

  #refuse({ error, mayBeOneOfSeveral }: Extract<Refusal, { isFinal: true }>): void {
    const refused = [...this.#listeners].filter(([, link]) => link === undefined || link !== this.#current);
    if (mayBeOneOfSeveral && this.#listeners.size > 1) {
      for (const [listener] of refused) {
        this.#listeners.delete(listener);
        this.#parts.onRefusedTogether(listener);
      }
      if (this.#listeners.size === 0) this.#parts.onEmpty(this);
      return;
    }
    for (const [listener] of refused) listener.fail(error);
  }

  /** Reads a link to its end, whatever that is. Never rejects. */
  async #read(open: OpenLink): Promise<void> {
    let failure: unknown;
    let ending: Refusal | undefined;
    try {
      while (this.#current === open) {
        const line = await open.link.next();
        if (this.#current !== open) return;
        if (typeof line.fields["ok"] === "boolean") {
          ending = judgeEnd(line.fields, this.#parts);
          break;
        }
        await this.#hear(open, line);
        await this.#room();
      }
    } catch (error) {
      failure = error;
    }
    this.#drop(open);
    if (this.#current !== open) return;
    this.#current = undefined;
    for (const listener of this.#listeners.keys()) this.#listeners.set(listener, undefined);
    ending ??= judgeFailure(failure);
    if (ending.isFinal) {
      for (const listener of [...this.#listeners.keys()]) {
        if (ending.error === undefined) listener.finish();
        else listener.fail(ending.error);
      }
      return;
    }
    void this.#connect(ending);
  }

  /** Those whose events this link brings. */
  #followersOf(open: OpenLink): Listener[] {
    return [...this.#listeners].filter(([, link]) => link === open).map(([listener]) => listener);
  }

  async #hear(open: OpenLink, { fields, chars, again }: ReadLine): Promise<void> {
    const { link, places } = open;
    const { event, id, gap, path } = fields;
    if (path !== undefined) places.keepPath(path);
    if (gap !== undefined) {
      const told = places.miss(gap, this.#followersOf(open));
      if (told === undefined) throw link.invalid();
      for (const [listener, missed] of told) listener.miss(missed);
      return;
    }
    if (typeof event !== "string") return;
    const hearing = places.hear(event, id, this.#followersOf(open));
    if (hearing === undefined) throw link.invalid();
    let isFirst = true;
    for (const listener of hearing.listeners) {
      // Each has a payload of its own, which it may change.
      const own = isFirst ? fields : ((await again()) as typeof fields);
      isFirst = false;
      const heard: HeardWithPath = { event, id: hearing.id, payload: own["item"] };
      listener.hear(hearing.path === undefined ? heard : { ...heard, path: hearing.path }, chars);
    }
  }

  /** While no loop has room nothing is read, so that the server notices. */
  async #room(): Promise<void> {
    while (this.#listeners.size > 0 && ![...this.#listeners.keys()].some(({ hasRoom }) => hasRoom)) {
      await new Promise<void>((resolve) => (this.#onRoom = resolve));
      this.#onRoom = undefined;
    }
  }

  #drop(open: OpenLink | undefined): void {
    if (open === undefined) return;
    open.stop.abort();
    void open.link.close();
  }
}
