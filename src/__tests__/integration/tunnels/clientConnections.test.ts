import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  type MixedHttpClientConfig,
} from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../support/httpPeer";

const clients = [
  ["Smart", createHttpSmartClient],
  ["Mixed", createHttpMixedClient],
] as const;
const inputs: [string, () => unknown][] = [
  ["a value", () => 1],
  ["a file", () => ({ f: createNodeFile({ name: "f" }, { buffer: Buffer.from("x") }) })],
  ["a stream", () => Readable.from(["x"])],
];
const rows = clients.flatMap(([name, create]) => inputs.map(([what, input]) => [name, what, create, input] as const));

describe.each(rows)("the %s client with calls of %s", (_name, _what, create, input) => {
  const open = (baseUrl: string, config: Partial<MixedHttpClientConfig> = {}) => create({ baseUrl, ...config });

  it("a client of Node never has more connections than allowed, however many calls there are", async () => {
    await using peer = await startPeer((_request, response) =>
      setImmediate(() => sendJson(response, { ok: true, result: 3 })),
    );
    await using client = open(peer.baseUrl, { maxConnections: 4 });

    const results = await Promise.all(Array.from({ length: 200 }, () => client.task("t", input())));

    expect(new Set(results)).toEqual(new Set([3]));
    expect(peer.connectionCount).toBe(4);
  });

  it("a client of Node rejects a call that is aborted, or runs out of time, while it waits for a connection", async () => {
    const held: ServerResponse[] = [];
    const arrived = createDeferred();
    await using peer = await startStreamingPeer((request, response) => {
      request.resume();
      held.push(response);
      arrived.resolve();
    });
    await using client = open(peer.baseUrl, { maxConnections: 1 });
    await using limited = open(peer.baseUrl, { maxConnections: 1, timeoutMs: 100 });
    const controller = new AbortController();
    const reason = new Error("enough");

    const first = client.task("first", input());
    await arrived.promise;
    const second = rejectionOf(client.task("second", input(), { signal: controller.signal }));
    const late = [rejectionOf(limited.task("third", input())), rejectionOf(limited.task("fourth", input()))];
    controller.abort(reason);

    expect(await second).toBe(reason);
    for (const error of await Promise.all(late)) expect(error.message).toMatch(/^This operation was|after 100ms/);
    for (const response of held.splice(0)) if (!response.destroyed) sendJson(response, { ok: true, result: 1 });
    expect(await first).toBe(1);
  });

  it("a client of Node does not use a connection that the server is about to close", async () => {
    await using peer = await startPeer((_request, response) => {
      response.setHeader("keep-alive", "timeout=1");
      sendJson(response, { ok: true, result: 3 });
    });
    await using client = open(peer.baseUrl);

    for (let call = 0; call < 3; call++) expect(await client.task("t", input())).toBe(3);

    expect(peer.connectionCount).toBe(3);
  });

  it("a client of Node uses a connection again that the server keeps", async () => {
    await using peer = await startPeer((_request, response) => {
      response.setHeader("keep-alive", "timeout=60");
      sendJson(response, { ok: true, result: 3 });
    });
    await using client = open(peer.baseUrl);

    for (let call = 0; call < 10; call++) expect(await client.task("t", input())).toBe(3);

    expect(peer.connectionCount).toBeLessThan(4);
  });

  it("a client of Node hands out what is no JSON as a stream of Node, whatever its bytes look like", async () => {
    await using peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "text/plain" }).end('{"ok":true,"result":"forged"}'),
    );
    await using client = open(peer.baseUrl);

    const reply = await client.task<unknown, Readable>("t", input());

    expect(reply).toBeInstanceOf(Readable);
    expect(await text(reply)).toBe('{"ok":true,"result":"forged"}');
  });
});
