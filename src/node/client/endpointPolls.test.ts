import { setTimeout as sleep } from "node:timers/promises";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { freePort } from "../../__tests__/support/freePort";
import { sendJson } from "../../__tests__/support/httpPeer";
import { breaking, refusing, startEndpoint, type FakeEndpoint } from "../../__tests__/support/pool/endpoint";
import { soon } from "../../__tests__/support/soon";
import { stopTime } from "../../__tests__/support/stopTime";
import { createHttpMixedClient, type MixedHttpClient } from "./clientFactories";

let open: FakeEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.map((endpoint) => endpoint[Symbol.asyncDispose]()));
  open = [];
});
async function start(name: string): Promise<FakeEndpoint> {
  const endpoint = await startEndpoint(name);
  open.push(endpoint);
  return endpoint;
}

const statesOf = (client: MixedHttpClient) => client.endpoints().map(({ state }) => state);
/** Resolves once the endpoints have these states. */
const until = (client: MixedHttpClient, ...states: readonly string[]) =>
  soon(
    (async () => {
      while (statesOf(client).join() !== states.join()) await sleep(2);
    })(),
  );
/** Resolves once the first endpoint is this one. */
const untilMovedTo = (client: MixedHttpClient, { baseUrl }: FakeEndpoint) =>
  soon(
    (async () => {
      while (client.endpoints()[0]?.url !== baseUrl) await sleep(2);
    })(),
  );
const probe = { path: "/ready", everyMs: 10 };

describe("probe", () => {
  it("asks each endpoint by GET at the path of its origin, from the first call on", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl, `${b.origin}/deep/below/__runner`],
      probe: { path: "/ready?deep=1", everyMs: 10 },
    });

    await client.task("t");
    await soon(Promise.all([a.nextProbe(), b.nextProbe()]));

    expect([a.probed[0], b.probed[0]]).toEqual(["/ready?deep=1", "/ready?deep=1"]);
  });

  it("an endpoint that is not ready gets no calls until it is", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await using client = createHttpMixedClient({ endpoints: [a.baseUrl, b.baseUrl], probe, eject: { forMs: 0 } });
    await client.task("t");
    a.ready = (response) => sendJson(response, { status: "fail" }, 503);
    await until(client, "ejected", "up");
    const { length } = a.called;

    expect(await Promise.all([client.task("t"), client.task("t"), client.task("t")])).toEqual(["b", "b", "b"]);
    expect(a.called).toHaveLength(length);
    a.ready = (response) => sendJson(response, { status: "pass" });
    await until(client, "up", "up");

    expect((await Promise.all([client.task("t"), client.task("t")])).sort()).toEqual(["a", "b"]);
  });

  it("an endpoint that answers a probe with SERVER_CLOSING is draining at once, and stays so while it answers", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await using client = createHttpMixedClient({ endpoints: [a.baseUrl, b.baseUrl], probe });
    await client.task("t");

    a.ready = refusing("SERVER_CLOSING");
    await until(client, "draining", "up");
    a.ready = (response) => sendJson(response, { status: "fail" }, 503);
    await soon(a.nextProbe().then(() => a.nextProbe()));

    expect(statesOf(client)).toEqual(["draining", "up"]);
    await a[Symbol.asyncDispose]();
    await until(client, "ejected", "up");
  });

  it("an endpoint whose call was answered with SERVER_CLOSING is draining until a probe passes", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = refusing("SERVER_CLOSING");
    a.ready = (response) => sendJson(response, { status: "fail" }, 503);
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl, b.baseUrl],
      probe: { path: "/ready", everyMs: 60 },
      balance: ([first]) => first!,
    });

    expect(await client.task("t")).toBe("b");
    expect(statesOf(client)).toEqual(["draining", "up"]);
    await soon(a.nextProbe());
    a.ready = (response) => sendJson(response, { status: "pass" });

    await until(client, "up", "up");
  });

  it("an endpoint that does not answer a probe in time is ejected, and goes on being asked", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.ready = () => {};
    await using client = createHttpMixedClient({ endpoints: [a.baseUrl, b.baseUrl], probe });

    await client.task("t");
    await until(client, "ejected", "up");
    a.ready = (response) => sendJson(response, { status: "pass" });

    await until(client, "up", "up");
  });

  it("a path that the server does not serve is told of", async () => {
    const a = await start("a");
    a.ready = (response) => void response.writeHead(404).end();
    const warned = createDeferred<string>();
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl],
      probe: { path: "/redy", everyMs: 10 },
      onWarning: (message) => warned.resolve(message),
    });

    await client.task("t");

    expect(await soon(warned.promise)).toBe(
      `${a.baseUrl} does not serve "/redy", which probe.path names; set http.ready there.`,
    );
  });

  it("a closed client asks nothing any more, also of an endpoint that never answers", async () => {
    const a = await start("a");
    const left = createDeferred();
    a.ready = (response) => void response.once("close", () => left.resolve());
    const client = createHttpMixedClient({ endpoints: [a.baseUrl], probe: { path: "/ready", everyMs: 2000 } });
    const brisk = createHttpMixedClient({ endpoints: [a.baseUrl], probe });
    await Promise.all([client.task("t"), brisk.task("t")]);
    await soon(a.nextProbe());

    await Promise.all([client.close(), brisk.close()]);

    await soon(left.promise);
    const { length } = a.probed;
    await sleep(30);
    expect(a.probed).toHaveLength(length);
  });
});

describe("resolve", () => {
  it("gives the endpoints when the first call is made, and anew every resolveMs", async () => {
    const [a, b] = [await start("a"), await start("b")];
    let urls = [a.baseUrl];
    const resolve = jest.fn(async () => [...urls]);
    await using client = createHttpMixedClient({ resolve, resolveMs: 10 });
    expect(client.endpoints()).toEqual([]);
    expect(resolve).not.toHaveBeenCalled();

    expect(await client.task("t")).toBe("a");
    urls = [b.baseUrl];
    await untilMovedTo(client, b);

    expect(await client.task("t")).toBe("b");
    expect(client.endpoints()).toEqual([{ url: b.baseUrl, state: "up", inFlight: 0, failures: 0 }]);
  });

  it("lets calls under way at an endpoint that is gone finish", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const finish = createDeferred();
    a.answer = (response) => void finish.promise.then(() => sendJson(response, { ok: true, result: "late" }));
    let urls = [a.baseUrl];
    await using client = createHttpMixedClient({ resolve: () => urls, resolveMs: 10 });
    const call = client.task("t");
    while (a.called.length === 0) await sleep(2);

    urls = [b.baseUrl];
    await untilMovedTo(client, b);
    expect(await client.task("t")).toBe("b");
    finish.resolve();

    expect(await call).toBe("late");
  });

  it("is asked when no endpoint can be counted on, also after a call that may not be made twice", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = breaking;
    let asked = 0;
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl],
      resolve: () => ((asked += 1), asked === 1 ? [a.baseUrl] : [b.baseUrl]),
      eject: { failures: 1 },
    });
    using time = stopTime();
    await rejectionOf(client.task("t", 1));
    // It is not asked twice within a second.
    expect(asked).toBe(1);
    time.advance(1_000);

    await rejectionOf(client.task("t", 1));
    await untilMovedTo(client, b);

    expect(asked).toBe(2);
    expect(await client.task("t")).toBe("b");
  });

  it("is asked when probes have ejected all endpoints", async () => {
    const [a, b] = [await start("a"), await start("b")];
    let asked = 0;
    await using client = createHttpMixedClient({
      resolve: () => ((asked += 1), asked === 1 ? [a.baseUrl] : [b.baseUrl]),
      probe,
    });
    expect(await client.task("t")).toBe("a");

    a.ready = (response) => void response.writeHead(503).end();

    await untilMovedTo(client, b);
  });

  it.each<[string, unknown, RegExp]>([
    ["no list", "http://a", /its endpoints are http:\/\/a\.\n {2}fix: /],
    ["nothing", undefined, /its endpoints are undefined\.\n {2}fix: /],
    ["an empty list", [], /its endpoints are an empty list\.\n {2}fix: /],
    [
      "what is no address",
      ["nowhere"],
      /its endpoints \[0\]: address "nowhere" has to be an absolute http or https URL\./,
    ],
    ["something else than text", [7], /its endpoints \[0\] is 7\.\n {2}fix: /],
    [
      "too many",
      Array.from({ length: 1001 }, (_, index) => `http://h${index}`),
      /its endpoints are 1001 addresses\.\n {2}fix: /,
    ],
  ])("an answer that makes no sense is told of and changes nothing: %s", async (_what, answer, message) => {
    const a = await start("a");
    const warned = createDeferred<string>();
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl],
      resolve: () => answer as string[],
      onWarning: (text) => warned.resolve(text),
    });

    expect(await client.task("t")).toBe("a");

    expect(await soon(warned.promise)).toMatch(message);
    expect(client.endpoints()).toEqual([{ url: a.baseUrl, state: "up", inFlight: 0, failures: 0 }]);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      "throws",
      () => {
        throw new Error("registry is down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("registry is down"))],
  ])("one that %s is told of and changes nothing", async (_what, resolve) => {
    const a = await start("a");
    const warned = createDeferred<unknown[]>();
    await using client = createHttpMixedClient({
      endpoints: [a.baseUrl],
      resolve,
      onWarning: (...told) => warned.resolve(told),
    });

    expect(await client.task("t")).toBe("a");

    expect(await soon(warned.promise)).toEqual([
      "resolve failed; the endpoints stay as they are.",
      new Error("registry is down"),
    ]);
    expect(statesOf(client)).toEqual(["up"]);
  });

  it("without any endpoint a call fails with NO_ENDPOINTS, and was not made", async () => {
    await using client = createHttpMixedClient({ resolve: () => [], onWarning: () => {} });

    expect(await rejectionOf(client.task("t"))).toMatchObject({
      name: "TunnelError",
      code: "NO_ENDPOINTS",
      message: expect.stringContaining("fix: have resolve return at least one address in time") as string,
      details: { delivered: "no" },
    });
  });

  it("one that hangs keeps no call waiting that has an endpoint, and others within their own time", async () => {
    const a = await start("a");
    let signal: AbortSignal | undefined;
    const hanging = (options: { readonly signal: AbortSignal }) => (
      (signal = options.signal),
      new Promise<string[]>(() => {})
    );
    await using served = createHttpMixedClient({ endpoints: [a.baseUrl], resolve: hanging });
    const waiting = createHttpMixedClient({ resolve: hanging });
    const left = new AbortController();

    expect(await soon(served.task("t"))).toBe("a");
    const late = rejectionOf(waiting.task("t", 1, { timeoutMs: 30 }));
    const gone = rejectionOf(waiting.task("t", 1, { signal: left.signal }));
    left.abort(new Error("gone"));

    expect(await soon(gone)).toBe(left.signal.reason);
    expect(await soon(late)).toMatchObject({ code: "NO_ENDPOINTS", details: { delivered: "no" } });
    await soon(waiting.close());
    expect(signal?.aborted).toBe(true);
  });

  it("closing a client ends the calls that wait for endpoints", async () => {
    const client = createHttpMixedClient({ resolve: () => new Promise<string[]>(() => {}) });
    const call = rejectionOf(client.task("t"));

    await soon(client.close({ signal: AbortSignal.abort() }));

    expect(await soon(call)).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  it("a call that waits for new endpoints fails as it did, where there are none within its time", async () => {
    const dead = `http://127.0.0.1:${await freePort()}/__runner`;
    const asked = createDeferred();
    await using client = createHttpMixedClient({
      endpoints: [dead],
      resolve: () => {
        asked.resolve();
        return new Promise<string[]>(() => {});
      },
      onWarning: () => {},
    });
    using time = stopTime();

    const failed = rejectionOf(client.task("t", 1, { timeoutMs: 30 }));
    await asked.promise;
    time.advance(30);

    expect(await failed).toMatchObject({
      code: "ECONNREFUSED",
      details: { delivered: "no" },
    });
  });
});
