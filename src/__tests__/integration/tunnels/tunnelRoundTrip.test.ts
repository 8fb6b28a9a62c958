import { once } from "node:events";
import {
  assertTaskRouted,
  createHttpMixedClient,
  globals,
  nodeExposure,
  r,
  run,
  TunnelError,
  type EventDeliveryMode,
  type RegisterableItems,
  type TunnelRunner,
} from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { baseUrlOf, connect, quiet, serve, token, tunnelOf } from "../../support/tunnelPair";

/** What both processes know: ids, types, errors, contexts. */
interface Order {
  readonly sku: string;
  readonly dueAt: Date;
}
const soldOut = r
  .error<{ sku: string; since: Date }>("shop.errors.soldOut")
  .format(({ sku }) => `No ${sku} left`)
  .build();
const request = r.asyncContext<{ requestId: string }>("shop.request").build();
const placed = r.event<{ sku: string; note?: string }>("shop.placed").build();

/** The server's side of the story. */
const place = r
  .task("shop.place")
  .run(async ({ sku, dueAt }: Order) => {
    if (sku === "tea") soldOut.throw({ sku, since: dueAt });
    return { sku, dueAt, lines: new Map([[sku, 1n]]) };
  })
  .build();
const whoAsks = r
  .task("shop.whoAsks")
  .run(async () => request.use().requestId)
  .build();

/** The client's side of it: the same ids, and no body. */
const remotePlace = r.task.phantom<Order, Order & { lines: Map<string, bigint> }>("shop.place").build();
const remoteWhoAsks = r.task.phantom<void, string>("shop.whoAsks").build();

const serveShop = (...items: RegisterableItems[]) =>
  serve([place, whoAsks, soldOut, request, ...items], { mode: "server", tasks: [place, whoAsks] });

const connectShop = (baseUrl: string, ...items: RegisterableItems[]) =>
  connect(baseUrl, [remotePlace, remoteWhoAsks, soldOut, request, ...items], {
    tasks: [remotePlace, remoteWhoAsks],
  });

const order: Order = { sku: "coffee", dueAt: new Date("2026-01-01") };

describe("a task of another process", () => {
  it("a task of another process is called as if it were local", async () => {
    const checkout = r
      .task("checkout")
      .dependencies({ place: remotePlace })
      .run(async (sku: string, { place }) => (await place({ ...order, sku })).lines.get(sku))
      .build();
    await using server = await serveShop();
    await using client = await connectShop(server.baseUrl, checkout);

    expect(await client.runTask(checkout, "coffee")).toBe(1n);
    expect(await client.runTask(remotePlace, order)).toEqual({ ...order, lines: new Map([["coffee", 1n]]) });
    expect(await client.runTask("shop.place", order)).toEqual({ ...order, lines: new Map([["coffee", 1n]]) });
  });

  it("a task of another process fails with the typed error that it threw on the server", async () => {
    await using server = await serveShop();
    await using client = await connectShop(server.baseUrl);

    const error = await rejectionOf(client.runTask(remotePlace, { ...order, sku: "tea" }));

    expect(soldOut.is(error) && error.data).toEqual({ sku: "tea", since: order.dueAt });
    expect(error.message).toBe("No tea left");
  });

  it("a task of another process sees the async context of its caller", async () => {
    await using server = await serveShop();
    await using client = await connectShop(server.baseUrl);

    const ask = (requestId: string) => request.provide({ requestId }, () => client.runTask(remoteWhoAsks));

    expect(await Promise.all(["a", "b"].map(ask))).toEqual(["a", "b"]);
  });

  it("a task of another process learns through its signal that its caller aborted", async () => {
    const [arrived, aborted] = [createDeferred(), createDeferred()];
    const wait = r
      .task("shop.wait")
      .run(async (_input: void, _dependencies, { signal }) => {
        arrived.resolve();
        await once(signal, "abort");
        aborted.resolve();
      })
      .build();
    const remoteWait = r.task.phantom<void, void>("shop.wait").build();
    await using server = await serve([wait], { mode: "server", tasks: [wait] });
    await using client = await connect(server.baseUrl, [remoteWait], { tasks: [remoteWait] });
    const controller = new AbortController();
    const reason = new Error("changed my mind");

    const call = rejectionOf(client.runTask(remoteWait, undefined, { signal: controller.signal }));
    await arrived.promise;
    controller.abort(reason);

    expect(await call).toBe(reason);
    await aborted.promise;
  });

  it("a task of another process may be one definition, which runs on the server and is routed by the caller", async () => {
    const ranIn: string[] = [];
    const stock = r
      .resource<{ owner: string }>("stock")
      .init(async ({ owner }) => owner)
      .build();
    const count = r
      .task("shop.count")
      .dependencies({ stock })
      .run(async (_input: void, { stock }) => ranIn.push(stock))
      .build();
    await using server = await serve([count, stock.with({ owner: "server" })], { mode: "server", tasks: [count] });
    await using client = await connect(server.baseUrl, [count, stock.with({ owner: "client" })], { tasks: [count] });

    await client.runTask(count);
    await server.app.runTask(count);

    expect(ranIn).toEqual(["server", "server"]);
    expect([client, server.app].map(({ store }) => store.tasks.get(count.id)?.task.isTunneled)).toEqual([
      true,
      undefined,
    ]);
  });

  it("a task of another process is not asked when its caller's own schema refuses the input", async () => {
    const strict = r.task
      .phantom<{ sku: string }, unknown>("shop.place")
      .inputSchema({
        parse: (): { sku: string } => {
          throw new Error("no");
        },
      })
      .build();
    let runs = 0;
    const counting = r
      .task("shop.place")
      .run(async () => ++runs)
      .build();
    await using server = await serve([counting], { mode: "server", tasks: [counting] });
    await using client = await connect(server.baseUrl, [strict], { tasks: [strict] });

    const error = await rejectionOf(client.runTask(strict, { sku: "coffee" }));

    expect(error).not.toBeInstanceOf(TunnelError);
    expect(runs).toBe(0);
  });

  it("a task of another process is undefined while nothing routes to it, which an assertion turns into an error", async () => {
    const root = r.resource("app").register([remoteWhoAsks]).build();
    await using unrouted = await run(root, quiet);
    await using strict = await run(root, { ...quiet, unroutedPhantoms: "throw" });

    const value = await unrouted.runTask(remoteWhoAsks);

    expect(() => assertTaskRouted(value, remoteWhoAsks.id)).toThrow('"shop.whoAsks" is not routed');
    expect(await rejectionOf(strict.runTask(remoteWhoAsks))).toMatchObject({
      id: "runner.errors.phantomTaskNotRouted",
    });
  });
});

describe("a client tunnel", () => {
  it.each<[string, TunnelRunner["tasks"]]>([
    ["ids", ["shop.place"]],
    ["definitions", [remotePlace]],
    ["a predicate", ({ id }) => id === "shop.place"],
  ])("a client tunnel selects by %s, and leaves the rest alone", async (_how, tasks) => {
    await using server = await serveShop();
    await using client = await connect(server.baseUrl, [remotePlace, remoteWhoAsks, soldOut, request], { tasks });

    expect(await client.runTask(remotePlace, order)).toMatchObject(order);
    expect(await client.runTask(remoteWhoAsks)).toBeUndefined();
  });

  it("a client tunnel may state a client instead of a run", async () => {
    await using server = await serveShop();
    await using client = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } });
    const tunnel = tunnelOf("tunnel", { mode: "client", tasks: [remotePlace], client });
    await using app = await run(r.resource("app").register([remotePlace, tunnel]).build(), quiet);

    expect(await app.runTask(remotePlace, order)).toMatchObject(order);
  });

  it("a client tunnel that serves as well passes calls on, once: a gateway", async () => {
    const runs: string[] = [];
    const counted = r
      .task("shop.place")
      .run(async ({ sku }: Order) => runs.push(sku))
      .build();
    await using origin = await serve([counted], { mode: "server", tasks: [counted] });
    await using upstream = createHttpMixedClient({ baseUrl: origin.baseUrl, auth: { token } });
    await using gateway = await serve([remotePlace], { mode: "both", tasks: [remotePlace], client: upstream });
    await using client = await connect(gateway.baseUrl, [remotePlace], { tasks: [remotePlace] });

    await client.runTask(remotePlace, order);
    await gateway.app.runTask(remotePlace, { ...order, sku: "cocoa" });

    expect(runs).toEqual(["coffee", "cocoa"]);
  });
});

describe("events of a client tunnel", () => {
  /** Two processes that hear the same event, and what each of them heard. */
  async function listenInTwo(eventDeliveryMode: EventDeliveryMode, tunnel: TunnelRunner = { events: [placed] }) {
    const heard: string[] = [];
    const hook = (where: string) =>
      r
        .hook(`hooks.${where}`)
        .on(placed)
        .run(async ({ data }) => {
          heard.push(`${where}: ${data.sku}`);
          data.note = [data.note, where].filter(Boolean).join(", ");
        })
        .build();
    const server = await serve([placed, hook("there")], { mode: "server", ...tunnel });
    const remote = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } });
    const app = await connect(server.baseUrl, [placed, hook("here")], {
      events: [placed],
      eventDeliveryMode,
      emit: ({ id, data }) => remote.eventWithResult(id, data as unknown),
    });
    return {
      heard,
      app,
      async [Symbol.asyncDispose]() {
        await app.dispose();
        await remote.close();
        await server.app.dispose();
      },
    };
  }

  it.each<[EventDeliveryMode, string[], string]>([
    ["mirror", ["here: tea", "there: tea"], "here, there"],
    ["remote-only", ["there: tea"], "there"],
    ["local-only", ["here: tea"], "here"],
    ["remote-first", ["there: tea"], "there"],
  ])(
    "events of a client tunnel are delivered as mode %s says, and bring their payload back",
    async (mode, expected, note) => {
      await using processes = await listenInTwo(mode);
      const { app, heard } = processes;

      const result = await app
        .getResourceValue(globals.resources.eventManager)
        .emitWithResult(placed, { sku: "tea" }, "test");

      expect(heard).toEqual(expected);
      expect(result).toEqual({ sku: "tea", note });
    },
  );

  it("remote-first events go to local listeners when the server refuses them", async () => {
    await using processes = await listenInTwo("remote-first", { events: [] });

    await processes.app.emitEvent(placed, { sku: "tea" });

    expect(processes.heard).toEqual(["here: tea"]);
  });

  it("remote-only events fail with what the server refuses them with", async () => {
    await using processes = await listenInTwo("remote-only", { events: [] });

    const error = await rejectionOf(processes.app.emitEvent(placed, { sku: "tea" }));

    expect(error).toMatchObject({ code: "FORBIDDEN" });
    expect(error.message).toMatch(
      /^Event shop\.placed not exposed\n {2}event "shop\.placed": POST http.*\n {2}routed by tunnel /,
    );
    expect(processes.heard).toEqual([]);
  });
});

describe("the server", () => {
  const callPlace = (baseUrl: string, headers: Record<string, string> = {}) =>
    fetch(`${baseUrl}/task/shop.place`, {
      method: "POST",
      headers: { "x-runner-token": token, ...headers },
      body: JSON.stringify({ input: { sku: "coffee" } }),
    });

  it.each<[string, TunnelRunner["tasks"]]>([
    ["ids", ["shop.place"]],
    ["definitions", [place]],
    ["a predicate", ({ id }) => id === "shop.place"],
  ])("the server lists by %s what may be called, and says so", async (_how, tasks) => {
    await using server = await serve([place, whoAsks, soldOut, request], { mode: "server", tasks });
    await using client = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } });

    const discovery = await fetch(`${server.baseUrl}/discovery`, { headers: { "x-runner-token": token } });

    expect(await discovery.json()).toEqual({
      ok: true,
      result: { allowList: { enabled: true, tasks: ["shop.place"], events: [] } },
    });
    expect(await client.task("shop.place", order)).toMatchObject(order);
    expect(await rejectionOf(client.task("shop.whoAsks"))).toMatchObject({ code: "FORBIDDEN" });
  });

  it("the server settles at ready what may be called", async () => {
    const tasks = ["shop.place"];
    await using server = await serve([place, whoAsks, soldOut, request], { mode: "server", tasks });
    await using client = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } });

    tasks.splice(0, 1, "shop.whoAsks");

    expect(await client.task("shop.place", order)).toMatchObject(order);
    expect(await rejectionOf(client.task("shop.whoAsks"))).toMatchObject({ code: "FORBIDDEN" });
  });

  it("the server answers a root that calls it while it initialises", async () => {
    const root = r
      .resource("server")
      .register([
        place,
        soldOut,
        tunnelOf("server.tunnel", { mode: "server", tasks: [place] }),
        nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } }),
      ])
      .dependencies({ exposure: nodeExposure, createClient: globals.resources.httpMixedClientFactory })
      .init(async (_config: void, { exposure, createClient }) =>
        createClient({ baseUrl: baseUrlOf(exposure), auth: { token } }).task<Order, Order>("shop.place", order),
      )
      .build();

    await using app = await run(root, quiet);

    expect(app.value).toMatchObject(order);
  });

  it("the server repeats the id of a request, and makes one up for those that have none or a bad one", async () => {
    await using server = await serveShop();
    const idOf = async (sent: Record<string, string>) =>
      (await callPlace(server.baseUrl, sent)).headers.get("x-runner-request-id");

    expect(await idOf({ "x-runner-request-id": "req:7" })).toBe("req:7");
    expect(await idOf({})).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf({ "x-runner-request-id": "not valid" })).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("the server finishes what it serves before it closes, and takes nothing new", async () => {
    const [arrived, go] = [createDeferred(), createDeferred()];
    const slow = r
      .task("shop.slow")
      .run(async () => {
        arrived.resolve();
        await go.promise;
        return "finished";
      })
      .build();
    await using server = await serve([slow], { mode: "server", tasks: [slow] });
    await using client = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } });
    const call = client.task("shop.slow");
    await arrived.promise;

    const closing = server.handlers.close();
    const late = rejectionOf(callPlace(server.baseUrl));
    expect(await late).toHaveProperty("cause.code", "ECONNREFUSED");
    go.resolve();

    expect(await call).toBe("finished");
    await closing;
  });

  it("the server is gone where the block that uses it ends, and its client with its own", async () => {
    const useBoth = async (): Promise<string> => {
      await using server = await serveShop();
      await using client = await connectShop(server.baseUrl);
      await client.runTask(remotePlace, order);
      return server.baseUrl;
    };

    const baseUrl = await useBoth();

    expect(await rejectionOf(callPlace(baseUrl))).toHaveProperty("cause.code", "ECONNREFUSED");
  });
});
