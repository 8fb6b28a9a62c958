import { Readable } from "node:stream";
import { createHttpMixedClient, createHttpSmartClient, createNodeFile, type ClientCallOptions } from "../../../node";
import { clientKinds, nodeClientKinds } from "../../support/clientKinds";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer } from "../../support/httpPeer";
import { watchUncaught } from "../../support/watchUncaught";

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe.each(clientKinds)("a progress callback that throws: %s", (_name, create) => {
  const failing = (name: "onProgress" | "onDownloadProgress"): ClientCallOptions => ({
    [name]() {
      throw new Error("the bar broke");
    },
  });

  it.each(["onProgress", "onDownloadProgress"] as const)(
    "a progress callback that throws fails its call: %s",
    async (name) => {
      using uncaught = watchUncaught();
      await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
      await using client = create({ baseUrl: peer.baseUrl });

      const error = await rejectionOf(client.task("t", { a: 1 }, failing(name)));

      expect(error.message).toBe("the bar broke");
      await settled();
      expect(uncaught.seen).toEqual([]);
    },
  );
});

it.each(clientKinds)("a progress callback that rejects fails its call: %s", async (_name, create) => {
  using uncaught = watchUncaught();
  await using peer = await startPeer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"ok":');
  });
  await using client = create({ baseUrl: peer.baseUrl });
  // What plain JavaScript passes; nothing in its type says that anybody waits for it.
  const onProgress = (): void => Promise.reject(new Error("the bar broke")) as unknown as undefined;

  expect((await rejectionOf(client.task("t", 1, { onProgress }))).message).toBe("the bar broke");
  await settled();
  expect(uncaught.seen).toEqual([]);
});

describe.each(nodeClientKinds)("a progress callback that throws over a stream or a file: %s", (_name, create) => {
  it.each([
    ["stream", () => Readable.from([Buffer.alloc(10)])],
    ["file", () => ({ f: createNodeFile({ name: "f" }, { stream: Readable.from([Buffer.alloc(10)]) }) })],
  ])("a progress callback that throws over a stream or a file fails its call: %s", async (_what, input) => {
    using uncaught = watchUncaught();
    const told: unknown[] = [];
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    await using client = create({ baseUrl: peer.baseUrl });

    const error = await rejectionOf(
      client.task("t", input(), {
        onProgress(progress) {
          told.push(progress);
          throw new Error("the bar broke");
        },
      }),
    );

    expect(error.message).toBe("the bar broke");
    await settled();
    expect(uncaught.seen).toEqual([]);
  });

  it("a progress callback that throws over a stream or a file fails the reply that is being read", async () => {
    using uncaught = watchUncaught();
    await using peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "a/b" }).end("x"),
    );
    await using client = createHttpSmartClient({ baseUrl: peer.baseUrl });
    const onDownloadProgress = (): void => {
      throw new Error("the bar broke");
    };

    const reading = client.task<null, Readable>("t", null, { onDownloadProgress }).then((reply) => reply.toArray());

    expect((await rejectionOf(reading)).message).toBe("the bar broke");
    expect(uncaught.seen).toEqual([]);
  });
});

it("a client tells progress once, whatever comes before the reply that counts", async () => {
  await using peer = await startPeer((_request, response) => {
    response.writeEarlyHints({ link: "</a>; rel=preload" });
    sendJson(response, { ok: true, result: 1 });
  });
  await using client = createHttpMixedClient({ baseUrl: peer.baseUrl });
  const told: unknown[] = [];

  await client.task("t", 1, { onProgress: (progress) => told.push(progress) });

  expect(told).toEqual([{ sentBytes: 11, totalBytes: 11 }]);
});
