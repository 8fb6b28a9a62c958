import type { EmissionPath } from "../../../lib/emissionPath";
import type { HeardEvent } from "../../../define/subscription";
import { silenceLimit } from "../../protocol/silence";
import type { WireResponse } from "../../protocol/wire";
import { retryAfterMs, retryDelayMs, type Clock } from "./clock";
import { judgeFailure, judgeReply, type Refusal } from "./connectionFailure";
import { Link, type ReadLine } from "./link";
import type { Listener, ListenerOwner } from "./listener";
import { Places } from "./places";
import type { SubscriptionParts } from "./subscriptionParts";

/** An event, with the path that it took, where that was asked for. */
export interface HeardWithPath extends HeardEvent {
  readonly path?: EmissionPath | undefined;
}

/** What a feed is made of. */
export interface FeedParts extends SubscriptionParts {
  readonly clock: Clock;
  /** Whether the server is asked for the paths of emissions. */
  readonly wantsPath: boolean;
  /** Nothing listens any more. */
  readonly onEmpty: (feed: Feed) => void;
  /** One of several listeners has to be tried alone: what was refused may be another one's. */
  readonly onRefusedTogether: (listener: Listener) => void;
}

/** A link that has begun. */
interface OpenLink {
  readonly link: Link;
  readonly stop: AbortController;
  readonly places: Places;
}

// These and the names of headers are written out: imported, they would be moved into a file that pages begin with.
const hasEvents = /^\s*application\/x-runner-items\+ndjson\s*(;|$)/i;

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
      opened = await this.#open(places, stop);
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

  /** Asks for events, and reads the first line. @throws what was no refusal of the server */
  async #open(places: Places, stop: AbortController): Promise<OpenLink | Refusal> {
    const { request, silenceMs, wantsPath } = this.#parts;
    const timer = setTimeout(() => stop.abort(this.#lateError()), silenceMs);
    try {
      const input = { ...places.input(), ...(wantsPath && { path: true as const }) };
      const response = await places.enter(() => request(input, stop.signal));
      const { status, contentType, body, headers } = response;
      if (status < 200 || status > 299 || body.kind !== "stream" || !hasEvents.test(contentType ?? "")) {
        return await this.#refusalOf(response);
      }
      const heartbeatMs = Number(headers?.["x-runner-heartbeat-ms"]) || 0;
      const link = new Link({ ...this.#parts, stream: body.stream, silenceMs: silenceLimit(silenceMs, heartbeatMs) });
      try {
        const { fields } = await link.next();
        if (typeof fields["ok"] === "boolean") {
          void link.close();
          return this.#endOf(fields);
        }
        if (!places.begin(fields["open"])) throw link.invalid();
      } catch (error) {
        void link.close();
        throw error;
      }
      return { link, stop, places };
    } finally {
      clearTimeout(timer);
    }
  }

  #lateError(): Error {
    return this.#parts.fail("STREAM_LOST", `The subscription did not begin within ${this.#parts.silenceMs} ms.`);
  }

  async #refusalOf(response: WireResponse): Promise<Refusal> {
    const { status, body, headers } = response;
    if (body.kind === "stream") {
      void body.stream[Symbol.asyncIterator]().return?.();
      const message = "The server did not reply with events: it is older, or the address is that of something else.";
      return judgeReply(status, this.#parts.fail("NOT_A_STREAM", message), undefined);
    }
    const error = await this.#parts.refusalOf(response);
    if (status === 404) return judgeReply(status, this.#unsupported(error), undefined);
    return judgeReply(status, error, retryAfterMs(headers?.["retry-after"]?.toString()));
  }

  #unsupported(cause: unknown): Error {
    const message = "The server has no subscriptions: it is older than they are, or baseUrl leads past its exposure.";
    return this.#parts.fail("SUBSCRIPTIONS_UNSUPPORTED", message, cause);
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
          ending = this.#endOf(line.fields);
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

  /** A server that closes is asked again, since there may be another one. */
  #endOf({ ok, error }: Readonly<Record<string, unknown>>): Refusal {
    if (ok === true) return { isFinal: true, error: undefined, mayBeOneOfSeveral: false };
    const failure = this.#parts.failureOf(error);
    const { code } = failure as { code?: unknown };
    if (code === "SERVER_CLOSING" || code === "OVERLOADED") return { isFinal: false };
    return { isFinal: true, error: failure, mayBeOneOfSeveral: false };
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
