import { createServer, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import {
  createHttpClient,
  createHttpMixedClient,
  globals,
  nodeExposure,
  r,
  run,
  type EventDeliveryMode,
  type ILog,
  type RegisterableItems,
  type TunnelClient,
} from "../../../node";
import { appOf } from "../../support/appOf";
import { baseUrlOf, quiet, token } from "../../support/tunnelPair";

const happened = r.event<{ n: number }>("shared.events.happened").build();

/** Whom a process tells of the event, and how; an address is known once that process has started. */
interface Peer {
  readonly url: () => string;
  readonly mode?: EventDeliveryMode;
}

/** A process that opens the event to others, and delivers it to these peers. */
async function startNode(name: string, peers: readonly Peer[], extra: readonly RegisterableItems[] = []) {
  const heard: unknown[] = [];
  const logs: ILog[] = [];
  const hook = r
    .hook(`${name}.hooks.happened`)
    .on(happened)
    .run(async ({ data }) => void heard.push(data.n))
    .build();
  const listener = r
    .resource(`${name}.logs`)
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
    .build();
  const tunnels = peers.map(({ url, mode }, index) =>
    r.tunnel
      .client(`${name}.tunnels.peer${index}`)
      .events([happened], { eventDeliveryMode: mode })
      // Connects when it first calls, as peers start one after the other.
      .connect((): TunnelClient => {
        const made: { client?: ReturnType<typeof createHttpMixedClient> } = {};
        const client = () => (made.client ??= createHttpMixedClient({ baseUrl: url(), auth: { token } }));
        return {
          task: async () => {},
          event: async (id, payload) => client().event(id as string, payload),
          ...{ close: async () => made.client?.close() },
        };
      })
      .build(),
  );
  const opened = r.tunnel.server(`${name}.tunnels.opened`).events([happened]).build();
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, drain: { quietMs: 0 } } });
  const app = await run(appOf(listener, happened, hook, opened, ...tunnels, ...extra, exposure), quiet);
  const url = baseUrlOf(app.getResourceValue(nodeExposure));
  const send = (headers: Record<string, string>, n = 1, more: object = {}) =>
    fetch(`${url}/event/${happened.id}`, {
      method: "POST",
      headers: { "x-runner-token": token, "content-type": "application/json", ...headers },
      body: JSON.stringify({ payload: { n }, ...more }),
    });
  return { app, url, heard, logs, send, [Symbol.asyncDispose]: () => app.dispose() };
}

/** A server that takes every event, and keeps the headers it came with. */
async function startRecorder() {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    seen.push(req.headers);
    req.resume().once("end", () => res.setHeader("content-type", "application/json").end('{"ok":true}'));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

const id = (digit: string) => digit.repeat(32);

describe("events between processes", () => {
  it("two processes that mirror an event to each other hear it once each", async () => {
    const at: string[] = [];
    await using a = await startNode("a", [{ url: () => at[1] as string }]);
    await using b = await startNode("b", [{ url: () => at[0] as string }]);
    at.push(a.url, b.url);

    await a.app.emitEvent(happened, { n: 1 });
    await b.app.emitEvent(happened, { n: 2 });

    expect([a.heard, b.heard]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it("two runs that mirror an event to each other by memory tunnels hear it once each", async () => {
    const runs: Awaited<ReturnType<typeof run>>[] = [];
    const heard: string[] = [];
    const start = async (name: string, other: number) =>
      run(
        appOf(
          happened,
          r
            .hook(`${name}.hook`)
            .on(happened)
            .run(async () => void heard.push(name))
            .build(),
          r.tunnel.server(`${name}.opened`).events([happened]).build(),
          r.tunnel
            .client(`${name}.routed`)
            .events([happened])
            .connect(() => ({
              task: async () => {},
              event: async (eventId, payload) =>
                (runs[other] as (typeof runs)[number])
                  .getResourceValue(globals.resources.memoryServer)
                  .connect()
                  .event(eventId as string, payload),
            }))
            .build(),
        ),
        quiet,
      );
    await using a = await start("a", 1);
    await using b = await start("b", 0);
    runs.push(a, b);

    await a.emitEvent(happened, { n: 1 });

    expect(heard).toEqual(["a", "b"]);
  });

  it("a process that is told of an event by two others hears it once", async () => {
    await using c = await startNode("c", []);
    await using b = await startNode("b", [{ url: () => c.url }]);
    await using a = await startNode("a", [{ url: () => b.url }, { url: () => c.url }]);

    await a.app.emitEvent(happened, { n: 1 });
    await a.app.emitEvent(happened, { n: 2 });

    expect([a.heard, b.heard, c.heard]).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it("an event of which an interceptor makes a copy is still heard once", async () => {
    const copying = r
      .resource("a.copying")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config: void, { events }) => events.intercept(async (next, emission) => next({ ...emission })))
      .build();
    await using c = await startNode("c", []);
    await using b = await startNode("b", [{ url: () => c.url }]);
    await using a = await startNode("a", [{ url: () => b.url }, { url: () => c.url }], [copying]);

    await a.app.emitEvent(happened, { n: 1 });

    expect(c.heard).toEqual([1]);
  });

  it.each([
    ["mirror", [1, 2]],
    ["remote-only", []],
    ["remote-first", []],
  ] as const)("a gateway goes on forwarding in the mode %s", async (mode, gatewayHeard) => {
    await using last = await startNode("last", []);
    await using gateway = await startNode("gateway", [{ url: () => last.url, mode }]);
    await using first = await startNode("first", [{ url: () => gateway.url, mode: "remote-only" }]);

    await first.app.emitEvent(happened, { n: 1 });
    await first.app.emitEvent(happened, { n: 2 });

    expect([gateway.heard, last.heard]).toEqual([gatewayHeard, [1, 2]]);
  });

  it("a gateway in the mode local-only hears an event, and forwards none", async () => {
    await using last = await startNode("last", []);
    await using gateway = await startNode("gateway", [{ url: () => last.url, mode: "local-only" }]);
    await using first = await startNode("first", [{ url: () => gateway.url, mode: "remote-only" }]);

    await first.app.emitEvent(happened, { n: 1 });

    expect([gateway.heard, last.heard]).toEqual([[1], []]);
  });

  it("an event that a hook emits in reply reaches the process whose event it replies to", async () => {
    const replied = r.event<{ n: number }>("shared.events.replied").build();
    const at: string[] = [];
    const replies: number[] = [];
    const hear = r
      .hook("a.hooks.replied")
      .on(replied)
      .run(async ({ data }) => void replies.push(data.n))
      .build();
    const reply = r
      .hook("b.hooks.reply")
      .on(happened)
      .dependencies({ replied })
      .run(async ({ data }, deps) => deps.replied({ n: data.n + 1 }))
      .build();
    const openReplies = r.tunnel.server("a.tunnels.replies").events([replied]).build();
    const routeReplies = r.tunnel
      .client("b.tunnels.replies")
      .events([replied], { eventDeliveryMode: "remote-only" })
      .dependencies({ createClient: globals.resources.httpClientFactory })
      .connect((_config: void, { createClient }) => createClient({ baseUrl: at[0] as string, auth: { token } }))
      .build();
    await using a = await startNode("a", [{ url: () => at[1] as string }], [replied, hear, openReplies]);
    at.push(a.url);
    await using b = await startNode("b", [], [replied, reply, routeReplies]);
    at.push(b.url);

    await a.app.emitEvent(happened, { n: 1 });

    expect(replies).toEqual([2]);
  });
});

describe("the path of an emission", () => {
  it("the path of an emission names it and the runs that it passed, at most 32", async () => {
    await using recorder = await startRecorder();
    await using node = await startNode("node", [{ url: () => recorder.url }]);
    const via = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(32, "0"));

    await node.send({ "x-runner-emission-id": id("e"), "x-runner-via": via.join(", ") });
    await node.app.emitEvent(happened, { n: 2 });
    const [passedOn, own] = recorder.seen;

    expect(passedOn?.["x-runner-emission-id"]).toBe(id("e"));
    const ownId = String(own?.["x-runner-via"]);
    expect(ownId).toMatch(/^[0-9a-f]{32}$/);
    expect(String(passedOn?.["x-runner-via"]).split(", ")).toEqual([...via.slice(1), ownId]);
    expect(own?.["x-runner-emission-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(own?.["x-runner-emission-id"]).not.toBe(ownId);
  });

  it.each([
    ["the universal factory", globals.resources.httpClientFactory],
    ["the Mixed factory", globals.resources.httpMixedClientFactory],
    ["the Smart factory", globals.resources.httpSmartClientFactory],
    ["the factory of tunnels", globals.resources.tunnelClientFactory],
  ] as const)("the path of an emission is sent by clients of %s", async (_what, factory) => {
    await using recorder = await startRecorder();
    const routed = r.tunnel
      .client("node.tunnels.routed")
      .events([happened])
      .dependencies({ create: factory })
      .connect((_config: void, { create }) => create({ baseUrl: recorder.url }))
      .build();
    await using app = await run(appOf(happened, routed), quiet);

    await app.emitEvent(happened, { n: 1 });

    expect(Object.keys(recorder.seen[0] ?? {})).toEqual(
      expect.arrayContaining(["x-runner-via", "x-runner-emission-id"]),
    );
  });

  it("the path of an emission is not sent over fetch, which pages would be refused", async () => {
    await using recorder = await startRecorder();
    const routed = r.tunnel
      .client("node.tunnels.routed")
      .events([happened])
      .connect(() => createHttpClient({ baseUrl: recorder.url }))
      .build();
    await using app = await run(appOf(happened, routed), quiet);

    await app.emitEvent(happened, { n: 1 });

    expect(Object.keys(recorder.seen[0] ?? {}).filter((name) => name.startsWith("x-runner-"))).toEqual([]);
  });

  it("the path of an emission is sent by an emit that is written by hand, however late it calls its client", async () => {
    await using recorder = await startRecorder();
    await using client = createHttpMixedClient({ baseUrl: recorder.url });
    const byHand = r
      .resource("node.tunnels.byHand")
      .tags([globals.tags.tunnel])
      .init(async () => ({
        mode: "client" as const,
        events: [happened],
        emit: async ({ id: eventId, data }: { id: string; data: unknown }) => {
          await new Promise((resolve) => setImmediate(resolve));
          await client.event(eventId, data);
        },
      }))
      .build();
    await using app = await run(appOf(happened, byHand), quiet);

    await app.emitEvent(happened, { n: 1 });

    expect(recorder.seen[0]).toMatchObject({
      "x-runner-via": expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      "x-runner-emission-id": expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  it("the path of an emission that was heard before gets the reply of one that is delivered, with its payload", async () => {
    await using node = await startNode("node", []);
    const headers = { "x-runner-emission-id": id("a") };

    const first = await node.send(headers, 1, { returnPayload: true });
    const second = await node.send(headers, 1, { returnPayload: true });

    expect(node.heard).toEqual([1]);
    expect([second.status, await second.json()]).toEqual([first.status, await first.json()]);
  });

  it("the path of an emission stays out of logs and replies", async () => {
    await using recorder = await startRecorder();
    await using node = await startNode("node", [{ url: () => recorder.url }]);
    await node.app.emitEvent(happened, { n: 1 });
    const runId = String(recorder.seen[0]?.["x-runner-via"]);

    const replies = [
      await node.send({ "x-runner-emission-id": id("b"), "x-runner-via": id("c") }),
      await node.send({ "x-runner-emission-id": id("b"), "x-runner-via": runId }),
      await node.send({ "x-runner-token": "guessed", "x-runner-emission-id": id("d") }),
      await node.send({ "x-runner-emission-id": id("d"), "x-runner-deadline-ms": "soon" }),
    ];
    const told = await Promise.all(
      replies.map(async (reply) => `${JSON.stringify([...reply.headers])} ${await reply.text()}`),
    );

    for (const secret of [runId, id("b"), id("c"), id("d")]) {
      expect(told.join("\n")).not.toContain(secret);
      expect(JSON.stringify(node.logs)).not.toContain(secret);
    }
  });

  it.each([
    ["without headers, as older peers send it", {}],
    ["with an id of another shape", { "x-runner-emission-id": "happened-1" }],
    ["with a path that is no list of ids", { "x-runner-via": "a, b, ../c" }],
    ["with a path that is too long", { "x-runner-via": Array(33).fill(id("f")).join(", ") }],
  ])("an emission %s is not remembered", async (_what, headers) => {
    await using node = await startNode("node", []);

    await node.send(headers, 1);
    await node.send(headers, 2);

    expect(node.heard).toEqual([1, 2]);
  });

  it("a forged path leaves out the event that it came with, and no other one's", async () => {
    await using node = await startNode("node", []);
    await using honest = await startNode("honest", [{ url: () => node.url, mode: "remote-only" }]);
    // Neither the run's id nor that of an emission to come is known to anyone else.
    for (const guess of ["0", "1", "f"]) {
      await node.send({ "x-runner-emission-id": id(guess), "x-runner-via": id(guess) }, -1);
    }
    node.heard.length = 0;

    await honest.app.emitEvent(happened, { n: 1 });
    await honest.app.emitEvent(happened, { n: 2 });

    expect(node.heard).toEqual([1, 2]);
  });

  it("an emission that is refused for its payload is not remembered", async () => {
    await using node = await startNode("node", []);
    const headers = {
      "x-runner-token": token,
      "content-type": "application/json",
      "x-runner-emission-id": id("a"),
    };

    const broken = await fetch(`${node.url}/event/${happened.id}`, { method: "POST", headers, body: "{" });
    expect(broken.status).toBe(400);
    await node.send({ "x-runner-emission-id": id("a") });

    expect(node.heard).toEqual([1]);
  });
});
