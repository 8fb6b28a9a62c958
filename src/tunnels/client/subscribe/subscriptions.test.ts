import { createDeferred } from "../../../__tests__/support/deferred";
import { begin, type Listening } from "../../../__tests__/support/subscribing";
import type { SubscribeOptions } from "../../../define/subscription";
import { TunnelError } from "../../../errors/tunnelError";
import { itemStream } from "../../../lib/itemStream";
import { createCallCodec } from "../callCodec";
import type { WireResponse } from "../../protocol/wire";
import { retryAfterMs, retryDelayMs, type Clock } from "./clock";
import { Subscriptions } from "./subscriptions";

const accepts = { streams: true, files: true, nodeFiles: true, abort: true } as const;
const codec = createCallCodec({}, { accepts });

/** A server that does what a test says, request by request. */
class ScriptedServer {
  readonly requests: Connection[] = [];
  #waiting = createDeferred<Connection>();

  connect(input: Connection["input"], signal: AbortSignal): Promise<WireResponse> {
    const connection = new Connection(input, signal);
    this.requests.push(connection);
    this.#waiting.resolve(connection);
    this.#waiting = createDeferred();
    return connection.response.promise;
  }

  /** The request of that index, once it is there. */
  async request(index: number): Promise<Connection> {
    while (this.requests.length <= index) await this.#waiting.promise;
    return this.requests[index] as Connection;
  }
}

class Connection {
  readonly response = createDeferred<WireResponse>();
  readonly input: { readonly events: readonly string[]; readonly after?: Readonly<Record<string, string>> };
  readonly signal: AbortSignal;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor(input: Connection["input"], signal: AbortSignal) {
    this.input = input;
    this.signal = signal;
    signal.addEventListener("abort", () => this.response.reject(signal.reason));
  }

  /** Replies with events, which stand at these places. */
  open(positions: Readonly<Record<string, string>>, headers: Record<string, string> = {}): this {
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#controller = controller) });
    this.response.resolve({
      status: 200,
      contentType: "application/x-runner-items+ndjson",
      headers,
      body: { kind: "stream", stream: stream as unknown as AsyncIterable<Uint8Array> },
    });
    return this.line({ open: positions });
  }

  line(line: object | string): this {
    const text = typeof line === "string" ? line : JSON.stringify(line);
    this.#controller.enqueue(new TextEncoder().encode(`${text}\n`));
    return this;
  }

  event(event: string, id: string, item: unknown = id): this {
    return this.line({ event, id, item });
  }

  cut(): void {
    this.#controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  }

  end(): void {
    this.#controller.close();
  }

  refuse(status: number, code: string, headers: Record<string, string> = {}): void {
    const text = JSON.stringify({ ok: false, error: { message: `refused: ${code}`, code } });
    this.response.resolve({ status, contentType: "application/json", headers, body: { kind: "text", text } });
  }

  fail(): void {
    this.response.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } }));
  }
}

/** Waits are passed on at once, and noted; chance is always the same. */
class TestClock implements Clock {
  readonly waits: number[] = [];
  readonly #random: number;
  held = false;

  constructor(random = 0.5) {
    this.#random = random;
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    this.waits.push(ms);
    if (this.held) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  random(): number {
    return this.#random;
  }
}

const opened: Subscriptions[] = [];
afterEach(() => opened.splice(0).forEach((subscriptions) => subscriptions.close()));

function setUp({ silenceMs, clock = new TestClock() }: { silenceMs?: number; clock?: TestClock } = {}) {
  const server = new ScriptedServer();
  const subscriptions = new Subscriptions(
    {
      codec,
      TunnelError,
      silenceMs,
      async exchange(_target, { signal }, { write, read }) {
        const body = await write();
        const { input } = JSON.parse((body as { read(): string }).read()) as {
          input: Connection["input"];
        };
        return read(await server.connect(input, signal));
      },
    },
    clock,
  );
  opened.push(subscriptions);
  const subscribe = (events: readonly string[], options: SubscribeOptions = {}): Listening =>
    begin(
      (observed) =>
        itemStream(async (end) => subscriptions.open(events, observed, end, (fn) => fn())) as AsyncIterable<unknown>,
      options,
    );
  return { server, subscriptions, subscribe, clock };
}

describe("a connection of subscriptions", () => {
  it("is one for all that begin in one turn, and each hears its own events", async () => {
    const { server, subscribe } = setUp();
    const one = subscribe(["a", "b"]);
    const other = subscribe(["b"]);
    const connection = await server.request(0);
    connection.open({ a: "e-0", b: "f-0" }).event("a", "e-1", 1).event("b", "f-1", 2);

    expect(connection.input).toEqual({ events: ["a", "b"] });
    expect(await one.payloads(2)).toEqual([1, 2]);
    expect(await other.payloads(1)).toEqual([2]);
    expect(server.requests).toHaveLength(1);
  });

  it("gives each of its listeners a payload of its own", async () => {
    const { server, subscribe } = setUp();
    const one = subscribe(["a"]);
    const other = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).event("a", "e-1", { list: [] });

    const [first, second] = [await one.next(), await other.next()];

    expect(first.payload).toEqual(second.payload);
    expect(first.payload).not.toBe(second.payload);
  });

  it("is used by a later subscription as well, if it brings its events already", async () => {
    const { server, subscribe } = setUp();
    const one = subscribe(["a", "b"]);
    const connection = (await server.request(0)).open({ a: "e-0", b: "f-0" });
    connection.event("a", "e-1");
    await one.next();
    const later = subscribe(["a"]);
    await later.untilOpened(1);
    connection.event("a", "e-2");

    expect(later.opened).toEqual([{ a: "e-1" }]);
    expect((await later.next()).id).toBe("e-2");
    expect(server.requests).toHaveLength(1);
  });

  it("is made anew for further events, goes on where each stood, and the old one ends after the new one has begun", async () => {
    const { server, subscribe } = setUp();
    const one = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-0" }).event("a", "e-1");
    await one.next();
    const later = subscribe(["b"]);
    const second = await server.request(1);
    first.event("a", "e-2");
    expect((await one.next()).id).toBe("e-2");
    expect(first.signal.aborted).toBe(false);
    second.open({ a: "e-2", b: "f-7" }).event("a", "e-2").event("a", "e-3").event("b", "f-8");

    expect(second.input).toEqual({ events: ["a", "b"], after: { a: "e-1" } });
    expect((await one.next()).id).toBe("e-3");
    expect((await later.next()).id).toBe("f-8");
    expect(first.signal.aborted).toBe(true);
  });

  it("ends once nothing listens", async () => {
    const { server, subscribe } = setUp();
    const one = subscribe(["a"]);
    const other = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    await one.untilOpened(1);

    await one[Symbol.asyncDispose]();
    expect(connection.signal.aborted).toBe(false);
    await other[Symbol.asyncDispose]();

    expect(connection.signal.aborted).toBe(true);
  });

  it("is asked for no more events than servers take, and a further one for the rest", async () => {
    const { server, subscribe } = setUp();
    const many = Array.from({ length: 70 }, (_, index) => `a${index}`);
    const more = Array.from({ length: 70 }, (_, index) => `b${index}`);
    void subscribe(many);
    void subscribe(more);

    const connections = [await server.request(0), await server.request(1)];

    expect(connections.map(({ input }) => input.events.length)).toEqual([70, 70]);
  });
});

describe("a subscription that begins at a place", () => {
  it("sends it, and hears what comes behind it", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"], { after: { a: "e-5" } });
    const connection = (await server.request(0))
      .open({ a: "e-7" })
      .event("a", "e-6")
      .event("a", "e-7")
      .event("a", "e-8");

    expect(connection.input).toEqual({ events: ["a"], after: { a: "e-5" } });
    expect([await listening.next(), await listening.next(), await listening.next()].map(({ id }) => id)).toEqual([
      "e-6",
      "e-7",
      "e-8",
    ]);
  });

  it("shares a connection with one that begins now, and each hears what is behind its own place", async () => {
    const { server, subscribe } = setUp();
    const back = subscribe(["a"], { after: { a: "e-5" } });
    const now = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-7" }).event("a", "e-6").event("a", "e-7").event("a", "e-8");

    expect((await now.next()).id).toBe("e-8");
    expect((await back.next()).id).toBe("e-6");
  });

  it("shares a connection with one that begins at another place: it is asked for from the earlier one on", async () => {
    const { server, subscribe } = setUp();
    const late = subscribe(["a"], { after: { a: "e-6" } });
    const early = subscribe(["a"], { after: { a: "e-3" } });
    const connection = (await server.request(0)).open({ a: "e-7" });
    connection.line({ gap: { event: "a", reason: "expired", missed: 4 } }).event("a", "e-8");

    expect(connection.input.after).toEqual({ a: "e-3" });
    expect((await late.next()).id).toBe("e-8");
    expect((await early.next()).id).toBe("e-8");
    expect(early.gaps).toEqual([{ event: "a", reason: "expired", missed: 4 }]);
    expect(late.gaps).toEqual([{ event: "a", reason: "expired", missed: 1 }]);
  });

  it("is told that its place is unknown where the server was asked for that of another process", async () => {
    const { server, subscribe } = setUp();
    const known = subscribe(["a"], { after: { a: "e-6" } });
    const stale = subscribe(["a"], { after: { a: "old-3" } });
    (await server.request(0)).open({ a: "e-7" }).event("a", "e-7").event("a", "e-8");

    expect((await known.next()).id).toBe("e-7");
    expect((await stale.next()).id).toBe("e-8");
    expect(stale.gaps).toEqual([{ event: "a", reason: "unknown", missed: null }]);
  });

  it("goes on with what the server says where its place is unknown", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"], { after: { a: "future-99" } });
    const first = (await server.request(0)).open({ a: "e-7" });
    first.line({ gap: { event: "a", reason: "unknown", missed: null } }).event("a", "e-8");
    await listening.next();
    first.cut();

    expect(listening.seen[0]).toEqual({ event: "a", reason: "unknown", missed: null });
    expect((await server.request(1)).input.after).toEqual({ a: "e-8" });
  });
});

describe("a connection that is lost", () => {
  it("is made anew, and goes on behind the last event", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" }).event("a", "e-5");
    await listening.next();
    first.cut();
    const second = await server.request(1);
    second.open({ a: "e-6" }).event("a", "e-6");

    expect(second.input.after).toEqual({ a: "e-5" });
    expect((await listening.next()).id).toBe("e-6");
    expect(listening.gaps).toEqual([]);
    expect(listening.opened).toHaveLength(2);
  });

  it("goes on behind where it began, if no event came over it", async () => {
    const { server, subscribe } = setUp();
    void subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" });
    first.end();

    expect((await server.request(1)).input.after).toEqual({ a: "e-4" });
  });

  it("goes on behind what it was told that it misses", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-4" }).event("a", "e-5");
    first.line({ gap: { event: "a", reason: "slow", missed: 3 } }).event("a", "e-9");
    expect((await listening.next()).id).toBe("e-5");
    expect((await listening.next()).id).toBe("e-9");
    first.line({ gap: { event: "a", reason: "slow", missed: 2 } }).cut();

    expect((await server.request(1)).input.after).toEqual({ a: "e-11" });
    expect(listening.seen[1]).toEqual({ event: "a", reason: "slow", missed: 3 });
  });

  it("is tried again after longer and longer times, of which chance takes a part, until it begins", async () => {
    const { server, subscribe, clock } = setUp({ clock: new TestClock(0.5) });
    const listening = subscribe(["a"]);
    for (let index = 0; index < 9; index += 1) (await server.request(index)).fail();
    const opened = (await server.request(9)).open({ a: "e-0" });
    await listening.untilOpened(1);
    opened.cut();
    (await server.request(10)).fail();
    await server.request(11);

    expect(clock.waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 250, 500]);
  });

  it("is not tried before the time that the server asks for", async () => {
    const { server, subscribe, clock } = setUp({ clock: new TestClock(0) });
    void subscribe(["a"]);
    (await server.request(0)).refuse(503, "OVERLOADED", { "retry-after": "7" });
    (await server.request(1)).refuse(429, "TOO_MANY_FAILURES", { "retry-after": "2" });
    await server.request(2);

    expect(clock.waits).toEqual([7000, 2000]);
  });

  it.each([408, 425, 429, 500, 502, 503])("is tried again after a refusal with %i", async (status) => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(status, "ANY");
    (await server.request(1)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("is tried again when the server closes, or says nothing for too long", async () => {
    const { server, subscribe } = setUp({ silenceMs: 5 });
    const listening = subscribe(["a"]);
    const closing = { ok: false, error: { code: "SERVER_CLOSING", message: "closing" } };
    (await server.request(0)).open({ a: "e-0" }).line(closing);
    (await server.request(1)).open({ a: "e-0" });
    (await server.request(2)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("is not taken for lost before three heartbeats of the server have passed", async () => {
    const { server, subscribe } = setUp({ silenceMs: 1 });
    const listening = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" }, { "x-runner-heartbeat-ms": "60000" });
    await listening.untilOpened(1);
    const begunMs = performance.now();
    while (performance.now() - begunMs < 20) await new Promise(setImmediate);
    connection.event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
    expect(server.requests).toHaveLength(1);
  });

  it("is tried again when a request is never replied to", async () => {
    const { server, subscribe } = setUp({ silenceMs: 5 });
    const listening = subscribe(["a"]);
    await server.request(0);
    (await server.request(1)).open({ a: "e-0" }).event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("a wait ends when a further subscription begins, and when the last one ends", async () => {
    const clock = new TestClock();
    clock.held = true;
    const { server, subscribe } = setUp({ clock });
    const one = subscribe(["a"]);
    (await server.request(0)).fail();
    while (clock.waits.length === 0) await new Promise(setImmediate);
    const other = subscribe(["b"]);
    const second = await server.request(1);
    second.fail();
    while (clock.waits.length === 1) await new Promise(setImmediate);

    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await new Promise(setImmediate);

    expect(second.input.events).toEqual(["a", "b"]);
    expect(server.requests).toHaveLength(2);
  });
});

describe("a subscription that cannot go on", () => {
  it.each([
    [400, "INVALID_SUBSCRIPTION"],
    [401, "UNAUTHORIZED"],
    [403, "FORBIDDEN"],
    [413, "PAYLOAD_TOO_LARGE"],
    [500, "AUTH_NOT_CONFIGURED"],
  ])("ends with the refusal of the server: %i %s", async (status, code) => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(status, code);

    await expect(listening.next()).rejects.toMatchObject({ name: "TunnelError", code });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with SUBSCRIPTIONS_UNSUPPORTED where the server knows no such path", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    (await server.request(0)).refuse(404, "NOT_FOUND");

    await expect(listening.next()).rejects.toMatchObject({
      code: "SUBSCRIPTIONS_UNSUPPORTED",
      cause: { code: "NOT_FOUND" },
    });
  });

  it("ends with NOT_A_STREAM where something else replies", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    const stream = new ReadableStream<Uint8Array>() as unknown as AsyncIterable<Uint8Array>;
    (await server.request(0)).response.resolve({
      status: 200,
      contentType: "text/html",
      body: { kind: "stream", stream },
    });

    await expect(listening.next()).rejects.toMatchObject({ code: "NOT_A_STREAM" });
  });

  it.each([
    ["no document", "{"],
    ["no object", "[]"],
    ["an event without a place", { event: "a", item: 1 }],
    ["an event that was not asked for", { event: "b", id: "e-1" }],
    ["a gap of nothing", { gap: null }],
    ["a gap of less than one", { gap: { event: "a", reason: "slow", missed: 0 } }],
    ["a gap of an event that was not asked for", { gap: { event: "__proto__", reason: "slow", missed: 1 } }],
  ])("ends with INVALID_RESPONSE at a line with %s", async (_what, line) => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line(line);

    await expect(listening.next()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with INVALID_RESPONSE where the first line leaves out one of its events", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a", "b"]);
    (await server.request(0)).open({ a: "e-0" });

    await expect(listening.next()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
  });

  it("lines of later versions are passed over", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line({ later: 1 }).line("").event("a", "e-1");

    expect((await listening.next()).id).toBe("e-1");
  });

  it("ends alone where what is refused is its own: others go on, and each of them is tried by itself", async () => {
    const { server, subscribe } = setUp();
    const good = subscribe(["a"]);
    const bad = subscribe(["secret"]);
    (await server.request(0)).refuse(403, "FORBIDDEN");
    const alone = [await server.request(1), await server.request(2)];
    for (const connection of alone) {
      if (connection.input.events[0] === "a") connection.open({ a: "e-0" }).event("a", "e-1");
      else connection.refuse(403, "FORBIDDEN");
    }

    expect((await good.next()).id).toBe("e-1");
    await expect(bad.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("does not end those that are under way when a later one is refused", async () => {
    const { server, subscribe } = setUp();
    const good = subscribe(["a"]);
    const first = (await server.request(0)).open({ a: "e-0" });
    await good.untilOpened(1);
    const bad = subscribe(["secret"]);
    (await server.request(1)).refuse(403, "FORBIDDEN");
    (await server.request(2)).refuse(403, "FORBIDDEN");
    await expect(bad.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
    first.event("a", "e-1");

    expect((await good.next()).id).toBe("e-1");
    expect(first.signal.aborted).toBe(false);
  });

  it("ends with what its caller's own hook throws", async () => {
    const reason = new Error("no token");
    const subscriptions = new Subscriptions(
      { codec, TunnelError, silenceMs: undefined, exchange: () => Promise.reject(reason) },
      new TestClock(),
    );
    const listening = begin(
      (options) =>
        itemStream(async (end) => subscriptions.open(["a"], options, end, (fn) => fn())) as AsyncIterable<unknown>,
    );

    await expect(listening.next()).rejects.toBe(reason);
  });

  it("ends with what onGap throws", async () => {
    const { server, subscribe } = setUp();
    const reason = new Error("I need all of them");
    const onGap = (): never => {
      throw reason;
    };
    const listening = subscribe(["a"], { onGap });
    const connection = (await server.request(0)).open({ a: "e-0" });
    connection.line({ gap: { event: "a", reason: "slow", missed: 1 } });

    await expect(listening.next()).rejects.toBe(reason);
    expect(connection.signal.aborted).toBe(true);
  });

  it("ends with the reason of its signal, whatever waits, and so does its connection", async () => {
    const { server, subscribe } = setUp();
    const controller = new AbortController();
    const listening = subscribe(["a"], { signal: controller.signal });
    const connection = (await server.request(0)).open({ a: "e-0" });
    await listening.untilOpened(1);
    const reason = new Error("enough");
    controller.abort(reason);

    await expect(listening.next()).rejects.toBe(reason);
    expect(await listening.end()).toEqual({ done: true, value: undefined });
    expect(connection.signal.aborted).toBe(true);
  });

  it("ends without an error when its client closes, and when the server says that it has ended", async () => {
    const { server, subscribe, subscriptions } = setUp();
    const one = subscribe(["a"]);
    (await server.request(0)).open({ a: "e-0" }).line({ ok: true });
    expect(await one.end()).toEqual({ done: true, value: undefined });
    const other = subscribe(["a"]);
    (await server.request(1)).open({ a: "e-0" });
    await other.untilOpened(1);

    subscriptions.close();

    expect(await other.end()).toEqual({ done: true, value: undefined });
    expect(await subscribe(["a"]).end()).toEqual({ done: true, value: undefined });
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    [[], /with one at least/],
    ["a", /a list of events/],
    [[7], /by definition or id, got number/],
    [[{ kind: "task", id: "a" }], /got task/],
  ])("is refused where it is for no events: %p", async (events, message) => {
    const { subscribe } = setUp();

    await expect(subscribe(events as unknown as string[]).next()).rejects.toThrow(message);
  });

  it.each([
    ["e-1", /is an object/],
    [{ b: "e-1" }, /is of an event that is not subscribed to/],
    [{ a: 1 }, /must be a string, got number/],
  ])("is refused where its places make no sense: %p", async (after, message) => {
    const { subscribe } = setUp();

    await expect(subscribe(["a"], { after: after as never }).next()).rejects.toThrow(message);
  });
});

describe("a loop that is slower than its events", () => {
  const large = "x".repeat(1_000_000);

  it("holds the connection back where no other one reads it", async () => {
    const { server, subscribe } = setUp();
    const listening = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    for (let index = 1; index <= 20; index += 1) connection.event("a", `e-${index}`, large);

    const ids: string[] = [];
    while (ids.length < 20) {
      ids.push((await listening.next()).id);
      await new Promise(setImmediate);
    }

    expect(listening.gaps).toEqual([]);
    expect(ids.at(-1)).toBe("e-20");
  });

  it("holds no other loop back, and is told what it missed", async () => {
    const { server, subscribe } = setUp();
    const slow = subscribe(["a"]);
    const fast = subscribe(["a"]);
    const connection = (await server.request(0)).open({ a: "e-0" });
    for (let index = 1; index <= 20; index += 1) {
      connection.event("a", `e-${index}`, large);
      await fast.next();
    }
    let read = 0;
    let next = slow.next();
    while (slow.gaps.length === 0) {
      await next;
      read += 1;
      next = slow.next();
    }
    connection.event("a", "e-21", "small");

    expect((await next).id).toBe("e-21");
    expect(fast.gaps).toEqual([]);
    expect(slow.gaps).toEqual([{ event: "a", reason: "slow", missed: 20 - read }]);
  });
});

describe("how long a client waits before it connects once more", () => {
  const at = (random: number): Clock => ({ wait: async () => {}, random: () => random });

  it("is anything from nothing up to a time that doubles from half a second to thirty", () => {
    expect([0, 1, 2, 5, 6, 50].map((failures) => retryDelayMs(failures, undefined, at(1)))).toEqual([
      500, 1000, 2000, 16_000, 30_000, 30_000,
    ]);
    expect(retryDelayMs(6, undefined, at(0))).toBe(0);
  });

  it("is what the server asks for and that, and an hour of the former at most", () => {
    expect(retryDelayMs(0, 2000, at(1))).toBe(2500);
    expect(retryDelayMs(0, 10 ** 12, at(0))).toBe(3_600_000);
  });

  it("reads what the server asks for in seconds or as a date", () => {
    expect([retryAfterMs("3"), retryAfterMs(" 12 "), retryAfterMs("soon"), retryAfterMs(undefined)]).toEqual([
      3000,
      12_000,
      undefined,
      undefined,
    ]);
    expect(retryAfterMs(new Date(0).toUTCString())).toBe(0);
    const inAMinute = retryAfterMs(new Date(Date.now() + 60_000).toUTCString());
    expect(inAMinute).toBeGreaterThan(50_000);
  });
});
