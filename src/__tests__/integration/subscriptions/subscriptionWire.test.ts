import { r } from "../../../node";
import { token } from "../../support/exposure";
import { linesOf, subscriptionEdges, type Lines, type SubscriptionEdge } from "../../support/subscriptionEdges";
import { audited, placed, shipped } from "./subscriptionDefinitions";

const both = { subscribable: [placed, shipped], emittable: [audited] };
const input = (events: readonly unknown[], after?: object) => ({ input: { events, ...(after && { after }) } });
const turn = (): Promise<void> => new Promise(setImmediate);

async function follow(edge: SubscriptionEdge, events: readonly string[], after?: object): Promise<Lines> {
  const response = await edge.subscribe(input(events, after));
  expect(response.status).toBe(200);
  return linesOf(response);
}
const codeOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string; message: string; data?: unknown } };
  return [response.status, error.code, error.message, ...(error.data === undefined ? [] : [error.data])];
};
/** What is emitted before a subscription, so that there is something to replay: the event counts from its first one on. */
async function emitSome(edge: SubscriptionEdge, count: number): Promise<string> {
  await using first = await follow(edge, [placed.id]);
  const { open } = await first.next();
  for (let order = 1; order <= count; order += 1) await edge.app.emitEvent(placed, { order });
  return open[placed.id] as string;
}
const seqsOf = (cursor: string) => Number(cursor.split("-")[1]);

describe.each(subscriptionEdges)("subscriptions over %s", (_name, start) => {
  it("the first line says where each event stands, and each event has a line with its place", async () => {
    await using edge = await start(both);
    const response = await edge.subscribe(input([placed.id, shipped.id]));
    await using lines = linesOf(response);
    const { open } = await lines.next();
    const [, epoch = ""] = /^([\da-f]{16})-0$/.exec(open[placed.id] as string) ?? [];

    await edge.app.emitEvent(placed, { order: 1 });
    await edge.app.emitEvent(placed, { order: 2 });

    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/x-runner-items+ndjson",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-runner-heartbeat-ms": "15000",
    });
    expect(Object.keys(open as object)).toEqual([placed.id, shipped.id]);
    expect(await lines.texts(2)).toEqual([
      `{"event":"${placed.id}","id":"${epoch}-1","item":{"order":1}}`,
      `{"event":"${placed.id}","id":"${epoch}-2","item":{"order":2}}`,
    ]);
  });

  it("what was emitted since a place comes before what is emitted next", async () => {
    await using edge = await start(both);
    const start0 = await emitSome(edge, 3);
    await using lines = await follow(edge, [placed.id], { [placed.id]: start0.replace(/0$/, "1") });
    await edge.app.emitEvent(placed, { order: 4 });

    const { open } = await lines.next();
    const orders = [await lines.next(), await lines.next(), await lines.next()].map(({ item }) => item.order as number);

    expect(seqsOf(open[placed.id] as string)).toBe(3);
    expect(orders).toEqual([2, 3, 4]);
  });

  it("what is emitted while a subscriber reads its replay is neither lost nor doubled", async () => {
    await using edge = await start(both);
    const start0 = await emitSome(edge, 100);
    const emitting = (async () => {
      for (let order = 101; order <= 300; order += 1) {
        await edge.app.emitEvent(placed, { order });
        if (order % 10 === 0) await turn();
      }
    })();
    await using lines = await follow(edge, [placed.id], { [placed.id]: start0 });
    await lines.next();
    const orders: number[] = [];
    while (orders.length < 300) orders.push((await lines.next())["item"].order as number);
    await emitting;

    expect(orders).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  });

  it.each([
    ["count", { count: 2 }, 8],
    ["bytes", { bytes: 160 }, 8],
  ])("what the ring has lost by its %s is told exactly, then comes what it holds", async (_by, ring, missed) => {
    await using edge = await start({ ...both, limits: { subscriptions: { ring } } });
    const start0 = await emitSome(edge, 10);
    await using lines = await follow(edge, [placed.id], { [placed.id]: start0 });
    await lines.next();

    expect(await lines.next()).toEqual({ gap: { event: placed.id, reason: "expired", missed } });
    expect([await lines.next(), await lines.next()].map(({ item }) => item.order as number)).toEqual([9, 10]);
  });

  it("what the ring has lost by its age is told, and nothing of it comes", async () => {
    await using edge = await start({ ...both, limits: { subscriptions: { ring: { ageMs: 1 } } } });
    const start0 = await emitSome(edge, 3);
    const begunMs = performance.now();
    while (performance.now() - begunMs < 5) await turn();
    await using lines = await follow(edge, [placed.id], { [placed.id]: start0 });
    await lines.next();
    await edge.app.emitEvent(placed, { order: 4 });

    expect(await lines.next()).toEqual({ gap: { event: placed.id, reason: "expired", missed: 3 } });
    expect(await lines.next()).toMatchObject({ item: { order: 4 } });
  });

  it.each([
    ["a place that is not there yet", (cursor: string) => cursor.replace(/\d+$/, "4")],
    ["a place far beyond what numbers hold", (cursor: string) => cursor.replace(/\d+$/, "9".repeat(30))],
    ["a place of another process", (cursor: string) => cursor.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))],
    ["a place that is no number", (cursor: string) => `${cursor.split("-")[0] ?? ""}-1e3`],
    ["a negative place", (cursor: string) => `${cursor.split("-")[0] ?? ""}--1`],
    ["a padded place", (cursor: string) => `${cursor.split("-")[0] ?? ""}-01`],
    ["something that is no place", () => "latest"],
    ["nothing", () => ""],
    ["a text without measure", () => "x".repeat(20_000)],
  ])("%s is told as unknown, and what is emitted next comes", async (_what, forge) => {
    await using edge = await start(both);
    const start0 = await emitSome(edge, 3);
    await using lines = await follow(edge, [placed.id], { [placed.id]: forge(start0) });
    const { open } = await lines.next();
    await edge.app.emitEvent(placed, { order: 4 });

    expect(seqsOf(open[placed.id] as string)).toBe(3);
    expect(await lines.next()).toEqual({ gap: { event: placed.id, reason: "unknown", missed: null } });
    expect(await lines.next()).toMatchObject({ item: { order: 4 } });
  });

  it("the place of one event is unknown to another one", async () => {
    await using edge = await start(both);
    const start0 = await emitSome(edge, 3);
    await using lines = await follow(edge, [placed.id, shipped.id], { [shipped.id]: start0 });
    await lines.next();

    expect(await lines.next()).toEqual({ gap: { event: shipped.id, reason: "unknown", missed: null } });
  });

  it("a payload that cannot be sent is told as missing, live and later, and is logged", async () => {
    await using edge = await start({ ...both, limits: { streams: { lineBytes: 200 } } });
    await using live = await follow(edge, [placed.id]);
    const { open } = await live.next();
    await edge.app.emitEvent(placed, { order: 1 });
    await edge.app.emitEvent(placed, { order: (() => {}) as never });
    await edge.app.emitEvent(placed, { order: "x".repeat(500) as never });
    await edge.app.emitEvent(placed, { order: 4 });
    await using late = await follow(edge, [placed.id], open as object);
    await late.next();

    const one = { gap: { event: placed.id, reason: "expired", missed: 1 } };
    expect([await live.next(), await live.next(), await live.next(), await live.next()]).toEqual([
      expect.objectContaining({ item: { order: 1 } }),
      one,
      one,
      expect.objectContaining({ item: { order: 4 } }),
    ]);
    expect([await late.next(), await late.next(), await late.next()]).toEqual([
      expect.objectContaining({ item: { order: 1 } }),
      { gap: { event: placed.id, reason: "expired", missed: 2 } },
      expect.objectContaining({ item: { order: 4 } }),
    ]);
    expect(edge.logs.filter(({ message }) => message === "exposure.event.error")).toHaveLength(2);
  });

  it.each([
    ["no body", ""],
    ["no object", "[]"],
    ["no JSON", "{"],
    ["no events", input([])],
    ["events that are no list", { input: { events: placed.id } }],
    ["an id that is no text", input([7])],
    ["an id twice", input([placed.id, placed.id])],
    ["more events than one may ask for", input(Array.from({ length: 101 }, (_, index) => `e${index}`))],
    ["places of other events", input([placed.id], { [shipped.id]: "a-1" })],
    ["a place that is no text", input([placed.id], { [placed.id]: 1 })],
    ["places that are no object", { input: { events: [placed.id], after: ["a-1"] } }],
  ])("a body with %s is refused with 400", async (_what, body) => {
    await using edge = await start(both);

    const [status, code] = await codeOf(await edge.subscribe(body));

    expect(status).toBe(400);
    expect(code).toMatch(/^INVALID_(SUBSCRIPTION|JSON)$/);
  });

  it("a body of more than 64 KiB is refused with 413", async () => {
    await using edge = await start(both);

    const response = await edge.subscribe(input([placed.id, "x".repeat(70_000)]));

    expect(response.status).toBe(413);
  });

  it("what may not be listened to is refused in the same words as what does not exist", async () => {
    await using edge = await start({ ...both, extra: [r.event("app.events.hidden").build()] });

    for (const id of [audited.id, "app.events.hidden", "app.events.none", "__proto__", "constructor", ""]) {
      const response = await edge.subscribe(input([placed.id, id]));

      expect(await codeOf(response)).toEqual([403, "FORBIDDEN", `Event ${id} not exposed`]);
    }
  });

  it("listening does not allow to emit, and emitting does not allow to listen", async () => {
    await using edge = await start(both);
    const emit = (id: string) =>
      edge.request(`/event/${id}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-runner-token": token },
        body: "{}",
      });

    expect((await emit(placed.id)).status).toBe(403);
    expect((await emit(audited.id)).status).toBe(200);
    expect((await edge.subscribe(input([audited.id]))).status).toBe(403);
  });

  it("without a tunnel that opens anything nothing may be listened to, also where all may be called", async () => {
    await using edge = await start({ emittable: [audited] });

    expect((await edge.subscribe(input([audited.id]))).status).toBe(403);
  });

  it.each([[undefined], ["*/*"], ["application/json"], ["application/x-runner-items+ndjson;q=0"]])(
    "a caller that does not say that it reads events is refused with 406: %p",
    async (accept) => {
      await using edge = await start(both);

      const response = await edge.subscribe(input([placed.id]), { accept });

      expect((await codeOf(response)).slice(0, 2)).toEqual([406, "NOT_ACCEPTABLE"]);
    },
  );

  it("a caller that does not authenticate is refused with 401, before its body is read", async () => {
    await using edge = await start(both);

    const response = await edge.subscribe("{", { "x-runner-token": "wrong" });

    expect((await codeOf(response)).slice(0, 2)).toEqual([401, "UNAUTHORIZED"]);
  });

  it("a token may be for some of the subscribable events, and one for tasks is for none", async () => {
    const auth = {
      tokens: [{ token: "all" }, { token: "orders", subscribable: [placed] }, { token: "tasks", tasks: [] }],
    };
    await using edge = await start({ ...both, auth });
    const statusOf = async (held: string, id: string): Promise<number> => {
      const response = await edge.subscribe(input([id]), { "x-runner-token": held });
      await response.body?.cancel();
      return response.status;
    };

    expect([await statusOf("all", placed.id), await statusOf("all", shipped.id)]).toEqual([200, 200]);
    expect([await statusOf("orders", placed.id), await statusOf("orders", shipped.id)]).toEqual([200, 403]);
    expect([await statusOf("tasks", placed.id), await statusOf("all", audited.id)]).toEqual([403, 403]);
  });

  it.each(["GET", "PUT", "DELETE"])("%s is refused with 405", async (method) => {
    await using edge = await start(both);

    const response = await edge.request("/subscribe", { method, headers: { "x-runner-token": token } });

    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it("nothing is below the path of subscriptions", async () => {
    await using edge = await start(both);

    const response = await edge.request(`/subscribe/${placed.id}`, { method: "POST", body: "{}" });

    expect(response.status).toBe(404);
  });

  it("more subscriptions than the limit are refused, and a place that is given back is taken again", async () => {
    await using edge = await start({ ...both, limits: { subscriptions: { open: 1 } } });
    const held = await follow(edge, [placed.id]);
    await held.next();

    const refused = await edge.subscribe(input([placed.id]));
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await codeOf(refused)).toEqual([
      503,
      "OVERLOADED",
      "Too many open subscriptions",
      { limit: "subscriptions" },
    ]);

    await held[Symbol.asyncDispose]();
    let status = 503;
    for (let tries = 0; status === 503 && tries < 1000; tries += 1) {
      const again = await edge.subscribe(input([placed.id]));
      ({ status } = again);
      await again.body?.cancel();
    }
    expect(status).toBe(200);
  });

  it("subscriptions take no place of calls in flight", async () => {
    await using edge = await start({ ...both, limits: { inFlight: 1 } });
    await using first = await follow(edge, [placed.id]);
    await first.next();
    await using second = await follow(edge, [placed.id]);

    expect(await second.next()).toHaveProperty("open");
  });

  it("streams of items take no place of calls in flight either", async () => {
    const waiting = r
      .task("app.waiting")
      .stream(async function* (_input: undefined, _dependencies, { signal }) {
        yield 1;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      })
      .build();
    const opened = r.tunnel.server("test.tasks").tasks([waiting]).build();
    await using edge = await start({ ...both, extra: [waiting, opened], limits: { inFlight: 1 } });
    const call = () =>
      edge.request("/task/app.waiting", {
        method: "POST",
        headers: { accept: "application/x-runner-items+ndjson", "x-runner-token": token },
        body: "{}",
      });
    await using first = linesOf(await call());
    expect(await first.texts(1)).toEqual(['{"item":1}']);
    await using second = linesOf(await call());

    expect(await second.texts(1)).toEqual(['{"item":1}']);
  });

  it("heartbeats come while nothing is emitted", async () => {
    await using edge = await start({ ...both, limits: { streams: { heartbeatMs: 5 } } });
    await using lines = await follow(edge, [placed.id]);

    const [open, ...beats] = await lines.texts(3);

    expect(open).toMatch(/^\{"open"/);
    expect(beats).toEqual(["", ""]);
  });

  it("a server that closes ends its subscriptions at once, and says so", async () => {
    await using edge = await start(both);
    await using lines = await follow(edge, [placed.id]);
    await lines.next();

    const closing = edge.close();
    const rest = await lines.rest();
    await closing;

    expect(rest).toEqual(['{"ok":false,"error":{"message":"The server is closing","code":"SERVER_CLOSING"}}']);
  });

  it("events are written once, however many listen", async () => {
    let written = 0;
    const counted = {
      get order() {
        return (written += 1);
      },
    };
    await using edge = await start(both);
    const subscribers = await Promise.all(Array.from({ length: 20 }, () => follow(edge, [placed.id])));
    for (const lines of subscribers) await lines.next();

    await edge.app.emitEvent(placed, counted);
    for (const lines of subscribers) expect(await lines.next()).toHaveProperty("event", placed.id);

    const forOne = written;
    written = 0;
    const [, ...others] = subscribers;
    await Promise.all(others.map((lines) => lines[Symbol.asyncDispose]()));
    await edge.app.emitEvent(placed, counted);
    expect(forOne).toBe(written);
    await Promise.all(subscribers.map((lines) => lines[Symbol.asyncDispose]()));
  });
});

describe("a subscriber that takes nothing", () => {
  const [, overFetch] = subscriptionEdges[1] as (typeof subscriptionEdges)[number];

  it("is told how many it missed once it takes something again, and others are not held up", async () => {
    await using edge = await overFetch({ ...both, limits: { subscriptions: { queuedBytes: 1000 } } });
    await using stalled = await follow(edge, [placed.id]);
    await using other = await follow(edge, [placed.id]);
    await stalled.next();
    await other.next();

    for (let order = 1; order <= 100; order += 1) {
      await edge.app.emitEvent(placed, { order });
      await turn();
      expect(await other.next()).toMatchObject({ item: { order } });
    }

    const orders: number[] = [];
    let gap: unknown;
    while (gap === undefined) {
      const line = await stalled.next();
      if (line["gap"] === undefined) orders.push(line["item"].order as number);
      else gap = line["gap"];
    }
    expect(orders).toEqual(Array.from({ length: orders.length }, (_, index) => index + 1));
    expect(orders.length).toBeLessThan(20);
    expect(gap).toEqual({ event: placed.id, reason: "slow", missed: 100 - orders.length });
    await edge.app.emitEvent(placed, { order: 101 });
    expect(await stalled.next()).toMatchObject({ item: { order: 101 } });
  });

  it("is not skipped within the turn in which there was too much", async () => {
    await using edge = await overFetch({ ...both, limits: { subscriptions: { queuedBytes: 1000 } } });
    await using lines = await follow(edge, [placed.id]);
    await lines.next();

    const emitted = Array.from({ length: 100 }, (_, index) => edge.app.emitEvent(placed, { order: index + 1 }));
    const orders: number[] = [];
    while (orders.length < 100) orders.push((await lines.next())["item"].order as number);
    await Promise.all(emitted);

    expect(orders.at(-1)).toBe(100);
  });

  it("what it replays is not held against it", async () => {
    await using edge = await overFetch({ ...both, limits: { subscriptions: { queuedBytes: 1000 } } });
    const start0 = await emitSome(edge, 200);
    await using lines = await follow(edge, [placed.id], { [placed.id]: start0 });
    await turn();
    await edge.app.emitEvent(placed, { order: 201 });
    await turn();
    await edge.app.emitEvent(placed, { order: 202 });

    await lines.next();
    const orders: number[] = [];
    while (orders.length < 202) orders.push((await lines.next())["item"].order as number);

    expect(orders.at(-1)).toBe(202);
  });

  it("is cut after drainMs, and gives its place back", async () => {
    const limits = { subscriptions: { open: 1, drainMs: 5 } };
    await using edge = await overFetch({ ...both, limits });
    const stalled = await edge.subscribe(input([placed.id]));

    let status = 503;
    while (status === 503) {
      await turn();
      const next = await edge.subscribe(input([placed.id]));
      ({ status } = next);
      await next.body?.cancel();
    }

    await expect(linesOf(stalled).rest()).rejects.toThrow();
  });
});
