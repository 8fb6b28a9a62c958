import { createHttpMixedClient, r } from "../../node";
import { duplex, gather, numbersTo, oneThenQuiet, reading, noted } from "../integration/streams/itemInputDefinitions";
import { collect, numbers, visitor } from "../integration/streams/streamDefinitions";
import { placed } from "../integration/subscriptions/subscriptionDefinitions";
import { token } from "../support/exposure";
import { soon } from "../support/soon";
import { listen } from "../support/subscribing";
import { startSubscriptions } from "../support/subscriptionServer";
import { until } from "../support/turns";
import { startPlainNginx, type PlainSite } from "./support/nginx";

let isAborted = false;
/** Yields a small item, then waits for its caller to leave. */
const waiting = r
  .task("app.waiting")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    yield "here";
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    isAborted = true;
  })
  .build();

beforeEach(() => {
  isAborted = false;
  noted.splice(0);
});

async function start(site: PlainSite) {
  const callable = [numbers, waiting, gather, reading, duplex];
  const exposure = await startSubscriptions({ subscribable: [placed], callable }, {}, [visitor]);
  let nginx = await startPlainNginx(exposure.port, site);
  const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${nginx.port}/__runner`, auth: { token } });
  return {
    exposure,
    client,
    kill: () => nginx.kill(),
    async restart() {
      const { port } = nginx;
      await nginx[Symbol.asyncDispose]();
      nginx = await startPlainNginx(exposure.port, { ...site, port });
    },
    async [Symbol.asyncDispose]() {
      await client.close({ signal: AbortSignal.abort() });
      await nginx[Symbol.asyncDispose]();
      await exposure[Symbol.asyncDispose]();
    },
  };
}

const sites: readonly (readonly [string, PlainSite])[] = [
  ["HTTP/1.0 to the server", { version: "1.0" }],
  ["HTTP/1.1 to the server", { version: "1.1" }],
  ["HTTP/1.0 to the server, without buffers", { version: "1.0", isUnbuffered: true }],
  ["HTTP/1.1 to the server, without buffers", { version: "1.1", isUnbuffered: true }],
];

describe.each(sites)("through nginx that speaks %s", (name, site) => {
  it(`items come whole through nginx, with what the task returns: ${name}`, async () => {
    await using setup = await start(site);

    const stream = setup.client.stream(numbers, { from: 1, to: 20_000 });

    expect(await collect(stream)).toHaveLength(20_000);
    expect(await stream.result).toEqual({ total: 200_010_000 });
  });

  it(`nginx passes a small item on at once, and that the caller left: ${name}`, async () => {
    await using setup = await start(site);
    const items = setup.client.stream(waiting)[Symbol.asyncIterator]();

    expect(await soon(items.next())).toEqual({ done: false, value: "here" });
    await items.return();

    await until(() => isAborted);
  });

  it(`killing nginx loses the stream, and ends the task: ${name}`, async () => {
    await using setup = await start(site);
    const items = setup.client.stream(waiting)[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();

    setup.kill();

    await expect(soon(next)).rejects.toMatchObject({ code: "STREAM_LOST" });
    await until(() => isAborted);
  });

  it(`a server whose connection to nginx breaks loses the stream: ${name}`, async () => {
    await using setup = await start(site);
    const items = setup.client.stream(waiting)[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();

    setup.exposure.handlers.server?.closeAllConnections();

    await expect(soon(next)).rejects.toMatchObject({ code: "STREAM_LOST" });
  });

  it(`items of a caller arrive whole through nginx: ${name}`, async () => {
    await using setup = await start(site);

    const result = await setup.client.task(gather, { table: "rows" }, { items: numbersTo(20_000).items });

    expect(result.input).toEqual({ table: "rows" });
    expect(result.items).toHaveLength(20_000);
    expect(result.items.at(-1)).toBe(20_000);
  });

  it(`events come at once through nginx: ${name}`, async () => {
    await using setup = await start(site);
    await using listening = await listen((options) => setup.client.subscribe([placed], options));

    await setup.exposure.app.emitEvent(placed, { order: 1 });

    expect((await listening.next()).payload).toEqual({ order: 1 });
  });

  it(`subscriptions go on after nginx was restarted, with all that was emitted meanwhile: ${name}`, async () => {
    await using setup = await start(site);
    await using listening = await listen((options) => setup.client.subscribe([placed], options));
    await setup.exposure.app.emitEvent(placed, { order: 1 });
    await listening.next();

    setup.kill();
    await setup.exposure.app.emitEvent(placed, { order: 2 });
    await setup.restart();
    await setup.exposure.app.emitEvent(placed, { order: 3 });

    expect(await listening.payloads(2)).toEqual([{ order: 2 }, { order: 3 }]);
    expect(listening.gaps).toEqual([]);
  });
});

/** With a buffer for requests, nginx reads all of one before it passes it on. */
describe("items in both directions, through nginx that does not buffer requests", () => {
  const site: PlainSite = { version: "1.1", isUnbuffered: true };

  it("an item goes in through nginx after the one before it has come out", async () => {
    await using setup = await start(site);
    const seen: number[] = [];
    async function* items() {
      for (let item = 1; item <= 3; item += 1) {
        await until(() => seen.length === item - 1);
        yield item;
      }
    }

    for await (const { item } of setup.client.stream(duplex, {}, { items: items() })) seen.push(item);

    expect(seen).toEqual([1, 2, 3]);
  });

  it("killing nginx fails a call that sends items, ends the items, and tells the task", async () => {
    await using setup = await start(site);
    const { items, state } = oneThenQuiet();
    const call = setup.client.task(reading, undefined, { items });
    await until(() => noted.includes("item 1"));

    setup.kill();

    await expect(soon(call)).rejects.toThrow();
    await until(() => state.isReturned && noted.some((each) => each.startsWith("failed")));
    expect(noted).not.toContain("end");
  });
});
