import {
  createHttpMixedClient,
  globals,
  nodeExposure,
  r,
  run,
  type definitions,
  type RunResult,
  type TunnelResource,
} from "../../../node";
import { createDeferred, type Deferred } from "../../support/deferred";
import { soon } from "../../support/soon";
import { token } from "../../support/exposure";

const news = () => r.event<{ text: string }>("app.events.news").build();

/** What hooks of a run have heard. */
class Heard {
  readonly texts: string[] = [];
  #changed: Deferred = createDeferred();

  hear(text: string): void {
    this.texts.push(text);
    this.#changed.resolve();
    this.#changed = createDeferred();
  }

  async until(count: number): Promise<string[]> {
    while (this.texts.length < count) await soon(this.#changed.promise);
    return this.texts;
  }
}

function hookFor(heard: Heard, event: ReturnType<typeof news>) {
  return r
    .hook("app.hook")
    .on(event)
    .run(async ({ data }) => heard.hear(data.text))
    .build();
}

/** A run that others may listen to, and emit to. */
async function startServer(heard: Heard, port = 0): Promise<{ readonly app: RunResult; readonly baseUrl: string }> {
  const event = news();
  const opened = r.tunnel.server("app.server").subscribable([event]).events([event]).build();
  const exposure = nodeExposure.with({ http: { listen: { port }, auth: { token }, drain: { quietMs: 0 } } });
  const root = r
    .resource("app")
    .register([event, hookFor(heard, event), opened, exposure])
    .build();
  const app = await run(root, { shutdownHooks: false });
  return { app, baseUrl: app.getResourceValue(nodeExposure).url };
}

/** Resolves once so many listen to a server. */
async function untilListenedTo(server: RunResult, probe: () => Promise<boolean>): Promise<void> {
  while (!(await probe())) {
    await server.emitEvent("app.events.news", { text: "probe" });
    await new Promise(setImmediate);
  }
}

const heardProbe = (heard: Heard) => async () => heard.texts.includes("probe");

/** Runs an application with one hook, and a tunnel that brings it the event. */
const runHearing = (here: Heard, event: ReturnType<typeof news>, tunnel: TunnelResource) =>
  run(
    r
      .resource("app")
      .register([event, hookFor(here, event), tunnel])
      .build(),
  );

async function untilHeard(hearer: Heard, text: string): Promise<void> {
  while (!hearer.texts.includes(text)) await hearer.until(hearer.texts.length + 1);
}
const withoutProbes = (texts: readonly string[]) => texts.filter((text) => text !== "probe");

it("hooks hear the events of the other process from ready on, and no more after the run has ended", async () => {
  const there = new Heard();
  const here = new Heard();
  const server = await startServer(there);
  const event = news();
  const tunnel = r.tunnel
    .client("app.client")
    .hears([event])
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .build();
  const app = await runHearing(here, event, tunnel);
  await untilListenedTo(server.app, heardProbe(here));

  await server.app.emitEvent("app.events.news", { text: "one" });
  await untilHeard(here, "one");
  await app.dispose();
  await server.app.emitEvent("app.events.news", { text: "two" });

  expect(withoutProbes(here.texts)).toEqual(["one"]);
  expect(withoutProbes(there.texts)).toEqual(["one", "two"]);
  await server.app.dispose();
});

it("an event that is heard and routed both is heard once on each side, and goes round nowhere", async () => {
  const there = new Heard();
  const here = new Heard();
  const server = await startServer(there);
  const event = news();
  const tunnel = r.tunnel
    .client("app.client")
    .events([event])
    .hears([event])
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .build();
  const app = await runHearing(here, event, tunnel);
  await untilListenedTo(server.app, heardProbe(here));

  await app.emitEvent(event, { text: "from here" });
  await server.app.emitEvent("app.events.news", { text: "from there" });
  await untilHeard(here, "from there");
  await server.app.emitEvent("app.events.news", { text: "last" });
  await untilHeard(here, "last");

  expect(withoutProbes(here.texts)).toEqual(["from here", "from there", "last"]);
  expect(withoutProbes(there.texts)).toEqual(["from here", "from there", "last"]);
  await app.dispose();
  await server.app.dispose();
});

it.each(["remote-only", "remote-first"] as const)(
  "an event that is delivered %s and heard comes back to the hooks of its own run once, or not where they may have heard it",
  async (mode) => {
    const there = new Heard();
    const here = new Heard();
    const server = await startServer(there);
    const event = news();
    const tunnel = r.tunnel
      .client("app.client")
      .events([event], { eventDeliveryMode: mode })
      .hears([event])
      .http({ baseUrl: server.baseUrl, auth: { token } })
      .build();
    const app = await run(
      r
        .resource("app")
        .register([event, hookFor(here, event), tunnel])
        .build(),
    );
    await untilListenedTo(server.app, heardProbe(here));

    await app.emitEvent(event, { text: "from here" });
    await server.app.emitEvent("app.events.news", { text: "from there" });
    await untilHeard(here, "from there");

    expect(withoutProbes(there.texts)).toEqual(["from here", "from there"]);
    expect(withoutProbes(here.texts)).toEqual(mode === "remote-only" ? ["from here", "from there"] : ["from there"]);
    await app.dispose();
    await server.app.dispose();
  },
);

it("two processes that hear each other hear each event once", async () => {
  const texts = { a: new Heard(), b: new Heard() };
  const ports = await Promise.all([startServer(new Heard()), startServer(new Heard())]);
  const urls = ports.map(({ baseUrl }) => baseUrl);
  await Promise.all(ports.map(({ app }) => app.dispose()));
  const startPeer = async (heard: Heard, own: string, other: string): Promise<RunResult> => {
    const event = news();
    const { port } = new URL(own);
    const opened = r.tunnel.server("app.server").subscribable([event]).build();
    const tunnel = r.tunnel.client("app.client").hears([event]).http({ baseUrl: other, auth: { token } }).build();
    const exposure = nodeExposure.with({
      http: { listen: { port: Number(port) }, auth: { token }, drain: { quietMs: 0 } },
    });
    const root = r
      .resource("app")
      .register([event, hookFor(heard, event), opened, tunnel, exposure])
      .build();
    return run(root, { shutdownHooks: false });
  };
  const a = await startPeer(texts.a, urls[0] as string, urls[1] as string);
  const b = await startPeer(texts.b, urls[1] as string, urls[0] as string);
  await untilListenedTo(b, heardProbe(texts.a));
  await untilListenedTo(a, async () => texts.b.texts.filter((text) => text === "probe").length > texts.a.texts.length);

  await a.emitEvent("app.events.news", { text: "from a" });
  while (!texts.b.texts.includes("from a")) await texts.b.until(texts.b.texts.length + 1);
  await b.emitEvent("app.events.news", { text: "from b" });
  while (!texts.a.texts.includes("from b")) await texts.a.until(texts.a.texts.length + 1);

  expect(withoutProbes(texts.a.texts)).toEqual(["from a", "from b"]);
  expect(withoutProbes(texts.b.texts)).toEqual(["from a", "from b"]);
  await Promise.all([a.dispose(), b.dispose()]);
});

it("a hook that fails is logged, and later events are heard", async () => {
  const here = new Heard();
  const server = await startServer(new Heard());
  const event = news();
  const failing = r
    .hook("app.failing")
    .on(event)
    .order(1)
    .run(async ({ data }) => {
      if (data.text === "bad") throw new Error("no");
    })
    .build();
  const tunnel = r.tunnel
    .client("app.client")
    .hears([event])
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .build();
  const messages: unknown[] = [];
  const logs = r
    .resource("app.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog(({ message }) => void messages.push(message)))
    .build();
  const app = await run(
    r
      .resource("app")
      .register([logs, event, hookFor(here, event), failing, tunnel])
      .build(),
  );
  await untilListenedTo(server.app, heardProbe(here));

  await server.app.emitEvent("app.events.news", { text: "bad" });
  await server.app.emitEvent("app.events.news", { text: "good" });
  await untilHeard(here, "good");

  expect(messages.filter((each) => String(each).startsWith("tunnel.hears.error"))).toHaveLength(1);
  await app.dispose();
  await server.app.dispose();
});

it("a tunnel hears over memory as well, and only what may be listened to", async () => {
  const here = new Heard();
  const secret = r.event<{ text: string }>("app.events.secret").build();
  const there = news();
  const served = r.tunnel.server("app.server").subscribable([there]).events([secret]).build();
  const server = await run(r.resource("app").register([there, secret, served]).build());
  const event = news();
  const tunnel = r.tunnel.client("app.client").hears([event]).memory(server).build();
  const app = await runHearing(here, event, tunnel);
  await untilListenedTo(server, heardProbe(here));
  expect(here.texts).toContain("probe");

  await using client = server.getResourceValue(globals.resources.memoryServer).connect();
  const loop = (async () => {
    for await (const { payload } of client.subscribe([secret])) return payload;
    return undefined;
  })();
  await expect(loop).rejects.toMatchObject({ code: "FORBIDDEN" });
  await app.dispose();
  await server.dispose();
});

it("a typed tunnel that hears has the events it hears", async () => {
  const here = new Heard();
  const server = await startServer(new Heard());
  const tunnel = r.tunnel
    .client<{ readonly published: definitions.IEvent<{ text: string }, "app.events.news"> }>("app.client")
    .hears({ published: "app.events.news" })
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .build();
  const hook = r
    .hook("app.typed")
    .on(tunnel.events.published)
    .run(async ({ data }) => here.hear(data.text))
    .build();
  const app = await run(r.resource("app").register([tunnel, hook]).build());
  await untilListenedTo(server.app, heardProbe(here));

  expect(here.texts).toContain("probe");
  await app.dispose();
  await server.app.dispose();
});

it("a tunnel that hears what is not registered, or by a client that cannot subscribe, fails the boot", async () => {
  const event = news();
  const unknown = r.tunnel.client("app.client").hears(["app.events.none"]).http({ baseUrl: "http://x" }).build();
  await expect(run(r.resource("app").register([unknown]).build())).rejects.toThrow(/app\.events\.none/);
  const old = r.tunnel
    .client("app.client")
    .hears([event])
    .connect(async () => ({ task: async () => undefined, event: async () => {} }))
    .build();
  await expect(run(r.resource("app").register([event, old]).build())).rejects.toThrow(/can subscribe/);
  const open = r.tunnel.server("app.server").subscribable(["app.events.none"]).build();
  await expect(run(r.resource("app").register([open]).build())).rejects.toThrow(/app\.events\.none/);
});

it("a client of the other process that is made by hand hears as well", async () => {
  const here = new Heard();
  const server = await startServer(new Heard());
  const event = news();
  const tunnel = r
    .resource("app.client")
    .tags([globals.tags.tunnel])
    .init(async () => ({
      mode: "client" as const,
      hears: [event],
      client: createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token } }),
    }))
    .dispose(async ({ client }) => (client as { close(): Promise<void> }).close())
    .build();
  const app = await runHearing(here, event, tunnel);
  await untilListenedTo(server.app, heardProbe(here));

  expect(here.texts).toContain("probe");
  await app.dispose();
  await server.app.dispose();
});
