import { Readable } from "node:stream";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { freePort } from "../../__tests__/support/freePort";
import { sendJson } from "../../__tests__/support/httpPeer";
import { breaking, refusing, startEndpoint, type FakeEndpoint } from "../../__tests__/support/pool/endpoint";
import { stopTime } from "../../__tests__/support/stopTime";
import { createFile } from "../../platform/createFile";
import { createNodeFile } from "../files/createNodeFile";
import { createHttpMixedClient, createHttpSmartClient } from "./clientFactories";

const clients = [
  ["Mixed", createHttpMixedClient],
  ["Smart", createHttpSmartClient],
] as const;

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
/** The address of a server that is not there. */
const nowhere = async (): Promise<string> => `http://127.0.0.1:${await freePort()}/__runner`;

const urlsOf = (...endpoints: readonly FakeEndpoint[]): string[] => endpoints.map(({ baseUrl }) => baseUrl);
const always = { isRepeatable: true } as const;

describe("what a pool tells of its endpoints", () => {
  it.each(clients)(
    "address, state, calls in flight and failures, in the order of the configuration: %s",
    async (_name, create) => {
      const [a, b] = [await start("a"), await start("b")];
      await using client = create({ endpoints: [`${a.baseUrl}/`, b.baseUrl, b.baseUrl] });

      expect(client.endpoints()).toEqual([
        { url: a.baseUrl, state: "up", inFlight: 0, failures: 0 },
        { url: b.baseUrl, state: "up", inFlight: 0, failures: 0 },
      ]);
    },
  );

  it.each(clients)("the states up, ejected, probing and draining: %s", async (_name, create) => {
    const [a, b] = [await start("a"), await start("b")];
    const asked = createDeferred();
    const answer = createDeferred();
    await using client = create({ endpoints: urlsOf(a, b), balance: "round-robin", eject: { failures: 1, forMs: 0 } });
    const stateOfA = () => client.endpoints()[0]?.state;
    const untilA = async () => {
      const before = a.called.length;
      while (a.called.length === before) await client.task("t", 1, always);
    };

    expect(stateOfA()).toBe("up");
    a.answer = breaking;
    await untilA();
    expect(stateOfA()).toBe("ejected");
    a.answer = refusing("SERVER_CLOSING");
    await untilA();
    expect(stateOfA()).toBe("draining");
    a.answer = (response) => {
      asked.resolve();
      void answer.promise.then(() => sendJson(response, { ok: true, result: "a" }));
    };
    const calls = [client.task("t", 1), client.task("t", 1)];
    await asked.promise;
    expect(client.endpoints()[0]).toMatchObject({ state: "probing", inFlight: 1 });
    expect(await Promise.all([client.task("t"), client.task("t"), client.task("t")])).toEqual(["b", "b", "b"]);
    answer.resolve();
    await Promise.all(calls);
    expect(client.endpoints()[0]).toEqual({ url: a.baseUrl, state: "up", inFlight: 0, failures: 0 });
  });

  it("a streamed reply keeps its endpoint busy until it was read", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = b.answer = (response) => response.writeHead(200, { "content-type": "text/plain" }).end("streamed");
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b) });

    const reply = await client.task<number, Readable>("t", 1);
    expect(
      client
        .endpoints()
        .map(({ inFlight }) => inFlight)
        .sort(),
    ).toEqual([0, 1]);
    reply.resume();
    await new Promise((resolve) => reply.once("close", resolve));

    expect(client.endpoints().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
});

describe("which calls a pool moves to another endpoint", () => {
  it.each(["OVERLOADED", "SERVER_CLOSING", "AUTH_UNAVAILABLE"])(
    "those refused with %s, whatever the task",
    async (code) => {
      const [a, b] = [await start("a"), await start("b")];
      a.answer = refusing(code);
      await using client = createHttpMixedClient({ endpoints: urlsOf(a, b), eject: { failures: 100 } });

      const replies = await Promise.all(Array.from({ length: 6 }, () => client.task("t", 1)));

      expect(replies).toEqual(Array.from({ length: 6 }, () => "b"));
      expect(a.called.length).toBeGreaterThan(0);
    },
  );

  it.each([
    ["a declared error of that code", refusing("OVERLOADED", { id: "app.busy" })],
    ["any other refusal", refusing("STREAM_LIMIT")],
    ["an opaque error", refusing("INTERNAL_ERROR", { status: 500 })],
  ])("not those answered with %s, not even idempotent ones", async (_what, answer) => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = b.answer = answer;
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b) });

    const error = await rejectionOf(client.task("t", 1, always));

    expect(a.called.length + b.called.length).toBe(1);
    expect(error).not.toMatchObject({ details: { delivered: expect.anything() as unknown } });
  });

  it.each([
    ["a broken connection", breaking],
    ["a refusal of a server that had begun", refusing("SERVER_CLOSING", { data: { ran: true } })],
    ["a gateway that gave up", (response: Parameters<typeof breaking>[0]) => void response.writeHead(504).end("late")],
  ])("those that ended with %s, where the call may be made twice", async (_what, answer) => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = answer;
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b), balance: ([first]) => first! });

    const error = await rejectionOf(client.task("t", 1));
    expect(error).toMatchObject({ name: "TunnelError", details: { delivered: "unknown" } });
    expect(b.called).toEqual([]);
    expect(await client.task("t", 1, always)).toBe("b");
    expect(await client.task("t", 1, { idempotencyKey: "k" })).toBe("b");
  });

  it("those that nothing listened to, with the code of the connection where nothing does anywhere", async () => {
    const b = await start("b");
    const dead = [await nowhere(), await nowhere()];
    await using client = createHttpMixedClient({ endpoints: [...dead, b.baseUrl] });
    await using lost = createHttpMixedClient({ endpoints: dead });

    expect(await Promise.all([client.task("t"), client.task("t"), client.task("t")])).toEqual(["b", "b", "b"]);
    expect(await rejectionOf(lost.task("t"))).toMatchObject({
      name: "TunnelError",
      code: "ECONNREFUSED",
      details: { delivered: "no" },
    });
    // Each was tried once, and none is left out for good.
    expect(lost.endpoints().map(({ failures }) => failures)).toEqual([1, 1]);
  });

  it("with all endpoints ejected, calls are still sent, and an answer brings one back", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = b.answer = breaking;
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b), eject: { failures: 1, forMs: 600_000 } });
    await rejectionOf(client.task("t", 1, always));
    expect(client.endpoints().map(({ state }) => state)).toEqual(["ejected", "ejected"]);

    a.answer = b.answer = (response) => sendJson(response, { ok: true, result: "back" });

    expect(await client.task("t")).toBe("back");
    expect(
      client
        .endpoints()
        .map(({ state }) => state)
        .sort(),
    ).toEqual(["ejected", "up"]);
  });

  it("a call's own time is over all its attempts", async () => {
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const asked = createDeferred();
    a.answer = b.answer = c.answer = () => asked.resolve();
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b, c) });
    using time = stopTime();

    const failed = rejectionOf(client.task("t", 1, { ...always, timeoutMs: 40 }));
    await asked.promise;
    time.advance(40);
    const error = await failed;

    expect(error).toMatchObject({ name: "AbortError", details: { delivered: "unknown" } });
    expect(a.called.length + b.called.length + c.called.length).toBe(1);
  });

  it("the client's time is for each attempt", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const asked = createDeferred();
    a.answer = () => asked.resolve();
    await using client = createHttpMixedClient({
      endpoints: urlsOf(a, b),
      timeoutMs: 40,
      balance: ([first]) => first!,
    });
    using time = stopTime();

    const called = client.task("t", 1, always);
    await asked.promise;
    time.advance(40);

    expect(await called).toBe("b");
  });

  it("a caller that leaves ends the call where it is", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const left = new AbortController();
    a.answer = b.answer = () => left.abort(new Error("gone"));
    await using client = createHttpMixedClient({ endpoints: urlsOf(a, b), eject: { failures: 1 } });

    expect(await rejectionOf(client.task("t", 1, { ...always, signal: left.signal }))).toBe(left.signal.reason);

    expect(a.called.length + b.called.length).toBe(1);
    expect(client.endpoints().map(({ state }) => state)).toEqual(["up", "up"]);
  });
});

const streams = (): readonly (readonly [string, unknown])[] => [
  ["a stream", Readable.from(["by", "tes"])],
  ["a web stream", Readable.toWeb(Readable.from([Buffer.from("bytes")]))],
  ["a file from a stream", { file: createNodeFile({ name: "f" }, { stream: Readable.from(["bytes"]) }) }],
];

describe.each(clients)("bytes that are read while they are sent: %s", (_name, create) => {
  it.each([0, 1, 2])("a call whose body has begun is never moved: %#", async (index) => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = b.answer = refusing("SERVER_CLOSING");
    await using client = create({ endpoints: urlsOf(a, b) });
    const [, input] = streams()[index]!;

    const error = await rejectionOf(client.task("t", input, always));

    expect(error).toMatchObject({ code: "SERVER_CLOSING" });
    expect(a.called.length + b.called.length).toBe(1);
  });

  it.each([0, 1, 2])("a call that nothing listened to is moved with all its bytes: %#", async (index) => {
    const b = await start("b");
    b.answer = (response, _request, body) => sendJson(response, { ok: true, result: body });
    await using client = create({ endpoints: [await nowhere(), await nowhere(), b.baseUrl] });
    const [, input] = streams()[index]!;

    for (let times = 0; times < 1; times += 1) expect(await client.task("t", input)).toContain("bytes");
  });

  it("a stream that is tried at many endpoints gathers no listeners", async () => {
    const endpoints = await Promise.all(Array.from({ length: 15 }, nowhere));
    const [whole, file] = [Readable.from(["bytes"]), Readable.from(["bytes"])];
    let most = 0;
    await using client = create({
      endpoints,
      balance([first]) {
        most = Math.max(most, whole.listenerCount("error"), whole.listenerCount("close"), file.listenerCount("error"));
        return first!;
      },
    });

    await rejectionOf(client.task("t", whole));
    await rejectionOf(client.task("t", { file: createNodeFile({ name: "f" }, { stream: file }) }));

    expect(most).toBeLessThan(10);
    expect([whole.destroyed, file.destroyed]).toEqual([true, true]);
  });

  it("files that are held in memory are sent again", async () => {
    const [a, b] = [await start("a"), await start("b")];
    a.answer = refusing("OVERLOADED");
    b.answer = (response, _request, body) => sendJson(response, { ok: true, result: body });
    await using client = create({ endpoints: urlsOf(a, b), balance: ([first]) => first! });
    const blob = createFile({ name: "f" }, new Blob(["blob bytes"]), "blob");
    const buffer = createNodeFile({ name: "f" }, { buffer: Buffer.from("buffer bytes") }, "buffer");

    const body = await client.task<object, string>("t", { blob, buffer });

    expect(body).toContain("blob bytes");
    expect(body).toContain("buffer bytes");
    expect(a.called).toEqual(["t"]);
  });
});

describe("a balance of one's own", () => {
  it("chooses among the endpoints that can be counted on, by the call", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await using client = createHttpMixedClient({
      endpoints: urlsOf(a, b),
      balance: (endpoints, { kind, id, input }) =>
        endpoints[kind === "task" && id === "shard" ? Number(input) : 0] ?? endpoints[0]!,
    });

    expect(await Promise.all([client.task("shard", 1), client.task("shard", 0), client.task("t", 1)])).toEqual([
      "b",
      "a",
      "a",
    ]);
  });

  it("fails the call where it throws or returns something else, and leaves the client usable", async () => {
    const a = await start("a");
    const broken = new Error("no idea");
    let wrong: (() => never) | undefined = () => {
      throw broken;
    };
    await using client = createHttpMixedClient({
      endpoints: urlsOf(a),
      balance: (endpoints) => (wrong === undefined ? endpoints[0]! : wrong()),
    });

    expect(await rejectionOf(client.task("t"))).toBe(broken);
    wrong = () => ({ url: a.baseUrl }) as never;
    expect((await rejectionOf(client.task("t"))).message).toMatch(
      /^balance returned none of the endpoints .*\n {2}fix: /,
    );
    wrong = undefined;

    expect(await client.task("t")).toBe("a");
    expect(client.endpoints()).toEqual([{ url: a.baseUrl, state: "up", inFlight: 0, failures: 0 }]);
  });
});
