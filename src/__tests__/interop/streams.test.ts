import { createHttpClient, createHttpMixedClient, createHttpSmartClient, r } from "../../node";
import { collect, numbers } from "../integration/streams/streamDefinitions";
import { numbersTo, textsWithoutEnd } from "../integration/streams/itemInputDefinitions";
import { startExposure, type TestExposure } from "../support/exposure";
import { sendJson, startPeer } from "../support/httpPeer";
import { until } from "../support/turns";
import { theirClients, type Row } from "./directions";
import { token, type Published } from "./interopApp";
import { startPublished, type PublishedPeer } from "./publishedPeer";

const peersOf: readonly Published[] = ["runner-52", "runner-55"];
const clients = { fetch: createHttpClient, smart: createHttpSmartClient, mixed: createHttpMixedClient };

let peers: Record<Published, PublishedPeer>;
let ours: TestExposure;
let bodiesBegun = 0;

const counting = r
  .task("interop.tasks.echo")
  .stream(async function* () {
    bodiesBegun += 1;
    yield 1;
  })
  .build();

beforeAll(async () => {
  const [v52, v55] = await Promise.all([startPublished("runner-52"), startPublished("runner-55")]);
  peers = { "runner-52": v52, "runner-55": v55 };
  ours = await startExposure([numbers, counting], { auth: { token } });
});
afterAll(async () => {
  await Promise.all(Object.values(peers).map((peer) => peer[Symbol.asyncDispose]()));
  await ours[Symbol.asyncDispose]();
});
beforeEach(() => void (bodiesBegun = 0));

const newToOld = peersOf.flatMap((published) =>
  (["fetch", "smart", "mixed"] as const).map((kind) => [published, kind] as const),
);

describe.each(newToOld)("a server of %s, and our %s client that asks for items", (published, kind) => {
  const connect = (serverToken = token) =>
    clients[kind]({ baseUrl: peers[published].baseUrl, auth: { token: serverToken } });

  it("a task of an older server fails the loop with NOT_A_STREAM, which names the version as a cause", async () => {
    await using client = connect();

    const stream = client.stream("interop.tasks.echo", "x");

    await expect(collect(stream)).rejects.toMatchObject({
      code: "NOT_A_STREAM",
      message: expect.stringContaining("its server is older") as string,
    });
    await expect(stream.result).rejects.toMatchObject({ code: "NOT_A_STREAM" });
  });

  it("bytes of an older server fail the loop with NOT_A_STREAM, and the client goes on", async () => {
    await using client = connect();

    await expect(collect(client.stream("interop.tasks.lines"))).rejects.toMatchObject({ code: "NOT_A_STREAM" });
    await expect(client.task("interop.tasks.echo", "after")).resolves.toBe("after");
  });

  it.each([3, Infinity])("%d items for a task of an older server end with ITEMS_NOT_TAKEN", async (count) => {
    await using client = connect();
    // Large where they have no end: the server refuses them by their size.
    const itemsOf = () => (count === 3 ? numbersTo(3) : textsWithoutEnd());
    const sent = itemsOf();
    const both = itemsOf();

    await expect(client.task("interop.tasks.echo", "x", { items: sent.items })).rejects.toMatchObject({
      code: "ITEMS_NOT_TAKEN",
      message: expect.stringContaining("its server is older") as string,
    });
    await expect(collect(client.stream("interop.tasks.echo", "x", { items: both.items }))).rejects.toMatchObject({
      code: "ITEMS_NOT_TAKEN",
    });

    await until(() => sent.state.isReturned && both.state.isReturned);
    await expect(client.task("interop.tasks.echo", "after")).resolves.toBe("after");
  });

  it("a failure of an older server's task arrives as what it is", async () => {
    await using client = connect();

    await expect(collect(client.stream("interop.tasks.crash"))).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
    await expect(
      collect(client.stream("interop.tasks.sell", { sku: "tea", since: new Date(0) })),
    ).rejects.toMatchObject({ id: "interop.errors.soldOut", data: { sku: "tea" } });
  });

  it("a refusal of an older server arrives as what it is", async () => {
    await using client = connect();
    await using stranger = connect("guessed");

    await expect(collect(client.stream("interop.tasks.unlisted"))).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(collect(stranger.stream("interop.tasks.echo"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  it("the signal of the caller ends a call that an older server does not answer, and its task", async () => {
    await using client = connect();
    const controller = new AbortController();
    const call = `stream:${kind}`;
    const reason = new Error("changed my mind");

    const reading = collect(client.stream("interop.tasks.wait", call, { signal: controller.signal }));
    await client.task("interop.tasks.arrivalOf", call);
    controller.abort(reason);

    await expect(reading).rejects.toBe(reason);
    await expect(client.task("interop.tasks.abortOf", call)).resolves.toBe("aborted");
  });
});

const oldToNew = peersOf.flatMap((published) =>
  theirClients[published].map((kind): Row => [published, "theirs calls ours", kind]),
);

describe.each(oldToNew)("%s, %s by the %s client, where the task streams", (published, _direction, kind) => {
  it("an older client is refused with NOT_ACCEPTABLE and the fix, and the body does not begin", async () => {
    const baseUrl = `http://127.0.0.1:${ours.port}/__runner`;

    await expect(peers[published].client(kind, baseUrl).play("noInput")).rejects.toThrow(/client\.stream\(\)/);
    expect(bodiesBegun).toBe(0);
  });
});

describe.each(["fetch", "smart", "mixed"] as const)(
  "a server that has the envelopes of today and no streams, and our %s client",
  (kind) => {
    /** Replies to all that has JSON as its body, whatever its caller accepts. */
    const startPlain = () =>
      startPeer((_request, response, body) => {
        try {
          sendJson(response, { ok: true, result: (JSON.parse(body) as { input?: unknown }).input });
        } catch {
          sendJson(response, { ok: false, error: { code: "INVALID_JSON", message: "Invalid JSON body" } }, 400);
        }
      });

    it("that asks for items: the loop and the result fail with NOT_A_STREAM, which names the version as a cause", async () => {
      await using peer = await startPlain();
      await using client = clients[kind]({ baseUrl: peer.baseUrl });

      const stream = client.stream("app.tasks.echo", "x");

      await expect(collect(stream)).rejects.toMatchObject({
        code: "NOT_A_STREAM",
        message: expect.stringContaining("its server is older") as string,
      });
      await expect(stream.result).rejects.toMatchObject({ code: "NOT_A_STREAM" });
      await expect(client.task("app.tasks.echo", "after")).resolves.toBe("after");
      const ofItems = "application/x-runner-items+ndjson";
      expect(peer.received.map(({ headers }) => headers.accept === ofItems)).toEqual([true, false]);
    });

    it("that sends items: the call and the loop fail with ITEMS_NOT_TAKEN, which names the version as a cause", async () => {
      await using peer = await startPlain();
      await using client = clients[kind]({ baseUrl: peer.baseUrl });
      const [sent, both] = [numbersTo(3), numbersTo(3)];

      await expect(client.task("app.tasks.echo", "x", { items: sent.items })).rejects.toMatchObject({
        code: "ITEMS_NOT_TAKEN",
        message: expect.stringContaining("its server is older") as string,
      });
      await expect(collect(client.stream("app.tasks.echo", "x", { items: both.items }))).rejects.toMatchObject({
        code: "ITEMS_NOT_TAKEN",
      });

      await until(() => sent.state.isReturned && both.state.isReturned);
      await expect(client.task("app.tasks.echo", "after")).resolves.toBe("after");
    });
  },
);

it("a client that asks for items gets them from the server that refuses older ones", async () => {
  await using client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${ours.port}/__runner`, auth: { token } });

  await expect(collect(client.stream(counting))).resolves.toEqual([1]);
  expect(bodiesBegun).toBe(1);
});
