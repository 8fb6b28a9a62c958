import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { sendJson, startPeer } from "../../__tests__/support/httpPeer";
import { r } from "../../define/r";
import { httpClientFactory } from "../../globals/resources/httpClientFactory";
import { serializer } from "../../globals/resources/serializer";
import { createFile } from "../../platform/createFile";
import { createRun } from "../../run";
import { createNodeFile } from "../files/createNodeFile";
import {
  createHttpMixedClient,
  createMixedHttpClient,
  httpClientPresets,
  httpMixedClientFactory,
  httpSmartClientFactory,
  type MixedHttpClientConfig,
} from "./clientFactories";

/** Says how it was called: fetch and the pool leave their marks on a request. */
const startEcho = () =>
  startPeer((request, response, body) => {
    const { headers } = request;
    if (headers["content-type"] === "application/octet-stream")
      return sendJson(response, { ok: true, result: "octets" });
    if (headers["content-type"]?.startsWith("multipart/")) return sendJson(response, { ok: true, result: "form" });
    if (body.includes("a stream, please")) {
      response.writeHead(200, { "content-type": "text/plain" }).end("streamed");
      return;
    }
    sendJson(response, { ok: true, result: "sec-fetch-mode" in headers ? "fetch" : "no fetch" });
  });

describe("the Mixed client", () => {
  it("the Mixed client goes by the name of older guides, too", () => {
    expect(createMixedHttpClient).toBe(createHttpMixedClient);
  });

  it("the Mixed client picks the way by the shape of the input", async () => {
    await using peer = await startEcho();
    await using client = createHttpMixedClient({ baseUrl: peer.baseUrl });
    const byFetch = createHttpMixedClient({ baseUrl: peer.baseUrl, fetchImpl: fetch });

    expect(await client.task("t", { a: 1 })).toBe("no fetch");
    expect(await client.eventWithResult("e", 1)).toBe("no fetch");
    expect(await client.task<Readable, string>("t", Readable.from(["x"]))).toBe("octets");
    expect(await client.task("t", { f: createNodeFile({ name: "a" }, { buffer: Buffer.from("x") }) })).toBe("form");
    expect(await client.task("t", { f: createFile({ name: "a" }, new Blob(["x"])) })).toBe("form");
    expect(await byFetch.task("t", 1)).toBe("fetch");
    expect(await byFetch.task<Readable, string>("t", Readable.from(["x"]))).toBe("octets");
  });

  it.each<[string, MixedHttpClientConfig["forceSmart"], string[]]>([
    ["always", true, ["a", "b"]],
    ["for the ids a predicate names", ({ id }) => id === "b", ["b"]],
    ["for what a predicate learns later", async ({ input }) => (input as { n: number }).n === 1, ["a"]],
  ])("the Mixed client takes plain inputs the Smart way %s", async (_what, forceSmart, smart) => {
    await using peer = await startEcho();
    await using client = createHttpMixedClient({ baseUrl: peer.baseUrl, forceSmart, fetchImpl: fetch });

    const outcomes = { a: await client.task("a", { n: 1 }), b: await client.task("b", { n: 2 }) };

    const expected = (id: string) => (smart.includes(id) ? "no fetch" : "fetch");
    expect(outcomes).toEqual({ a: expected("a"), b: expected("b") });
  });

  it.each([
    ["over its pool", {}],
    ["over a fetch", { fetchImpl: fetch }],
    ["the Smart way", { forceSmart: true }],
  ])("the Mixed client hands out a streamed reply to a plain input as a stream of Node: %s", async (_way, config) => {
    await using peer = await startEcho();
    await using client = createHttpMixedClient({ baseUrl: peer.baseUrl, ...config });

    const reply = await client.task<object, Readable>("t", { wish: "a stream, please" });

    expect(reply).toBeInstanceOf(Readable);
    expect(await text(reply)).toBe("streamed");
  });

  it("the Mixed client asks no predicate about streams, files and events", async () => {
    const forceSmart = jest.fn(() => false);
    await using peer = await startEcho();
    await using client = createHttpMixedClient({ baseUrl: peer.baseUrl, forceSmart });

    await client.task("t", Readable.from(["x"]));
    await client.task("t", createNodeFile({ name: "a" }, { buffer: Buffer.from("x") }));
    await client.event("e");

    expect(forceSmart).not.toHaveBeenCalled();
  });

  it("the Mixed client rejects when the predicate throws", async () => {
    const client = createHttpMixedClient({
      baseUrl: "http://127.0.0.1:1",
      forceSmart() {
        throw new Error("no idea");
      },
    });

    expect((await rejectionOf(client.task("t"))).message).toBe("no idea");
  });
});

describe("factories of a run", () => {
  const run = createRun(() => ({
    builtins: [httpSmartClientFactory, httpMixedClientFactory],
    presets: httpClientPresets,
  }));
  const options = { shutdownHooks: false, errorBoundary: false };
  const user = r.asyncContext<{ id: string }>("app.user").build();
  const soldOut = r.error<{ sku: string }>("app.soldOut").build();
  const factories = { universal: httpClientFactory, smart: httpSmartClientFactory, mixed: httpMixedClientFactory };

  it.each(Object.keys(factories) as (keyof typeof factories)[])(
    "factories of a run give clients the contexts, errors and types of the application: %s",
    async (kind) => {
      class Distance {
        constructor(readonly meters: number) {}
        typeName() {
          return "Distance";
        }
        toJSONValue() {
          return this.meters;
        }
      }
      const distances = r
        .resource("app.distances")
        .dependencies({ serializer })
        .init(async (_config, deps) => deps.serializer.addType("Distance", (meters: number) => new Distance(meters)))
        .build();
      const call = r
        .task("app.call")
        .dependencies({ factory: factories[kind] })
        .run(async (baseUrl: string, { factory }) => factory({ baseUrl }).task("t", new Distance(5)))
        .build();
      await using peer = await startPeer((_request, response) =>
        sendJson(response, { ok: false, error: { message: "m", code: "C", id: "app.soldOut", data: { sku: "tea" } } }),
      );
      await using app = await run(r.resource("app").register([distances, call, user, soldOut]).build(), options);

      const error = await rejectionOf(user.provide({ id: "u" }, () => app.runTask(call, peer.baseUrl)));

      expect(soldOut.is(error)).toBe(true);
      expect(peer.received[0]).toMatchObject({
        body: '{"input":{"__type":"Distance","value":5}}',
        headers: { "x-runner-context": '{"app.user":"{\\"id\\":\\"u\\"}"}' },
      });
    },
  );

  it("factories of a run calls without fetch, unless a fetch is given", async () => {
    await using peer = await startEcho();
    await using app = await run(r.resource("app").build(), options);
    const factory = app.getResourceValue(httpClientFactory);

    expect(await factory({ baseUrl: peer.baseUrl }).task("t")).toBe("no fetch");
    expect(await factory({ baseUrl: peer.baseUrl, fetchImpl: fetch }).task("t")).toBe("fetch");
    expect(await factory({ baseUrl: peer.baseUrl }).task("t", createFile({ name: "a" }, new Blob(["x"])))).toBe("form");
  });

  it("factories of a run close their clients at the end of the run, after the resources that use them", async () => {
    await using peer = await startEcho();
    const remote = r
      .resource("app.remote")
      .dependencies({ factory: httpMixedClientFactory })
      .init(async (_config, { factory }) => factory({ baseUrl: peer.baseUrl }))
      .dispose(async (client) => client.event("bye"))
      .build();
    const app = await run(r.resource("app").register([remote]).build(), options);
    const client = app.getResourceValue(remote);

    await app.dispose();

    expect(peer.received.map(({ path }) => path)).toEqual(["/__runner/event/bye"]);
    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  it("factories of a run let calls under way finish before the run has ended", async () => {
    const arrived = createDeferred();
    const finish = createDeferred();
    await using peer = await startPeer((_request, response) => {
      arrived.resolve();
      void finish.promise.then(() => sendJson(response, { ok: true, result: 3 }));
    });
    const app = await run(r.resource("app").build(), options);
    const client = app.getResourceValue(httpSmartClientFactory)({ baseUrl: peer.baseUrl });

    const call = client.task("t");
    await arrived.promise;
    const disposed = app.dispose();
    finish.resolve();

    expect(await call).toBe(3);
    await disposed;
  });

  it("factories of a run leave it to the application to say what failed to dispose", async () => {
    const broken = r
      .resource("app.broken")
      .dependencies({ factory: httpSmartClientFactory })
      .init(async () => 1)
      .dispose(async () => {
        throw new Error("cannot let go");
      })
      .build();
    const app = await run(r.resource("app").register([broken]).build(), options);
    const client = app.getResourceValue(httpSmartClientFactory)({ baseUrl: "http://127.0.0.1:1" });

    expect((await rejectionOf(app.dispose())).message).toBe("cannot let go");
    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "CLIENT_CLOSED" });
  });
});
