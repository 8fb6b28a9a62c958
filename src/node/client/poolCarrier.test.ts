import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { sendJson, startPeer } from "../../__tests__/support/httpPeer";
import { watchUncaught } from "../../__tests__/support/watchUncaught";
import { createCallCodec } from "../../tunnels/client/callCodec";
import { createTunnelClient } from "../../tunnels/client/createTunnelClient";
import { createHttpMixedClient, type MixedHttpClientConfig } from "./clientFactories";
import { poolCarrier } from "./poolCarrier";

const open = (baseUrl: string, config: Partial<MixedHttpClientConfig> = {}) =>
  createHttpMixedClient({ baseUrl, ...config });

it("the pool of a client reuses connections, and never has more than allowed", async () => {
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = open(peer.baseUrl, { maxConnections: 2 });

  for (let call = 0; call < 5; call++) await client.task("t");
  await Promise.all(Array.from({ length: 20 }, () => client.task("t")));

  expect(peer.received).toHaveLength(25);
  expect(peer.connectionCount).toBe(2);
});

it("the pool of a client shares one pool among calls that are made before it is loaded", async () => {
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = open(peer.baseUrl, { maxConnections: 1 });

  await Promise.all([client.task("a"), client.task("b"), client.event("c")]);

  expect(peer.connectionCount).toBe(1);
});

it("the pool of a client lets the server notice that the caller aborted, and goes on with another connection", async () => {
  const arrived = createDeferred();
  const left = createDeferred();
  await using peer = await startPeer((request, response) => {
    if (request.url?.endsWith("/quick")) return sendJson(response, { ok: true, result: "quick" });
    response.on("close", left.resolve);
    arrived.resolve();
  });
  await using client = open(peer.baseUrl, { maxConnections: 1 });
  const controller = new AbortController();
  const reason = new Error("enough");

  const call = rejectionOf(client.task("slow", 1, { signal: controller.signal }));
  await arrived.promise;
  controller.abort(reason);

  expect(await call).toBe(reason);
  await left.promise;
  expect(await client.task("quick")).toBe("quick");
});

it("the pool of a client never sends what was aborted while it waited for a connection", async () => {
  const arrived = createDeferred();
  const finish = createDeferred();
  await using peer = await startPeer((_request, response) => {
    arrived.resolve();
    void finish.promise.then(() => sendJson(response, { ok: true, result: 1 }));
  });
  await using client = open(peer.baseUrl, { maxConnections: 1 });
  const controller = new AbortController();

  const first = client.task("first");
  await arrived.promise;
  const second = rejectionOf(client.task("second", 1, { signal: controller.signal }));
  controller.abort(new Error("enough"));
  expect((await second).message).toBe("enough");
  finish.resolve();

  expect(await first).toBe(1);
  expect(await client.task("third")).toBe(1);
  expect(peer.received.map(({ path }) => path)).toEqual(["/__runner/task/first", "/__runner/task/third"]);
});

it("the pool of a client leaves no listener on a signal that outlives the call", async () => {
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = open(peer.baseUrl);
  const { signal } = new AbortController();

  await client.task("t", 1, { signal });

  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("the pool of a client times out while the reply is still arriving, with the error of fetch", async () => {
  await using peer = await startPeer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write('{"ok":');
  });
  await using client = open(peer.baseUrl, { timeoutMs: 100 });

  expect(await rejectionOf(client.task("t"))).toMatchObject({
    name: "AbortError",
    message: expect.stringMatching(/^This operation was aborted\n {2}no reply within \d+ ms\n {2}task /) as string,
  });
});

it("the pool of a client passes the error of the connection on", async () => {
  const peer = await startPeer(() => {});
  await peer[Symbol.asyncDispose]();
  await using client = open(peer.baseUrl);

  expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "ECONNREFUSED" });
});

it.each(["/__runner", "ftp://x/r", "http://user:secret@x/r"])(
  "the pool of a client says at the first call that it cannot use %s",
  async (baseUrl) => {
    await using client = open(baseUrl);

    const { message } = await rejectionOf(client.task("t"));

    expect(message).toContain("baseUrl");
    expect(message).not.toContain("secret");
  },
);

describe("hostile replies", () => {
  const reply = JSON.stringify({ ok: true, result: "é".repeat(100_000) });

  it("hostile replies to the pool are refused over the limit, and the connection with them", async () => {
    const left = createDeferred();
    await using peer = await startPeer((_request, response) => {
      response.on("close", left.resolve);
      response.writeHead(200, { "content-type": "application/json" });
      const write = (): void => void (response.destroyed || response.write("x".repeat(65_536), write));
      write();
    });
    await using client = open(peer.baseUrl, { maxReplyBytes: 1_000_000 });

    expect(await rejectionOf(client.task("t"))).toMatchObject({
      code: "INVALID_RESPONSE",
      message: expect.stringContaining(
        "Tunnel reply is larger than 1000000 bytes.\n  the limit is maxReplyBytes",
      ) as string,
    });
    await left.promise;
  });

  it("hostile replies to the pool are decompressed although it was not asked for, up to the limit", async () => {
    await using peer = await startPeer((request, response) =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync(request.url?.endsWith("/bomb") ? Buffer.alloc(10_000_000, " ") : reply)),
    );
    await using client = open(peer.baseUrl, { maxReplyBytes: 1_000_000 });

    expect(await client.task("t")).toBe("é".repeat(100_000));
    expect(await rejectionOf(client.task("bomb"))).toMatchObject({ code: "INVALID_RESPONSE" });
  });

  it.each([
    ["that lie about their encoding", "gzip", { code: "Z_DATA_ERROR" }],
    ["in an encoding nobody knows", "zebra", { code: "INVALID_RESPONSE" }],
  ])("hostile replies to the pool %s are rejected", async (_what, encoding, expected) => {
    await using peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding }).end(reply),
    );
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject(expected);
  });

  it("hostile replies to the pool that end early are rejected", async () => {
    await using peer = await startPeer((request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": reply.length });
      response.write(reply.slice(0, 100), () => request.socket.destroy());
    });
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "UND_ERR_SOCKET" });
  });

  it("hostile replies to the pool that are no HTTP are rejected", async () => {
    await using peer = await startPeer((request) => request.socket.end("SSH-2.0-OpenSSH\r\n"));
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ name: "HTTPParserError" });
  });
});

it("the pool of a client joins a reply that comes in pieces, even within a character", async () => {
  const bytes = Buffer.from('{"ok":true,"result":"é"}');
  const cut = bytes.indexOf(0xa9);
  await using peer = await startPeer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)));
  });
  await using client = open(peer.baseUrl);

  expect(await client.task("t")).toBe("é");
});

it("the pool of a client tells the progress of both directions", async () => {
  const told: unknown[] = [];
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = open(peer.baseUrl);

  await client.task("t", "é", {
    onProgress: (progress) => told.push(progress),
    onDownloadProgress: (progress) => told.push(progress),
  });

  expect(told).toContainEqual({ sentBytes: 14, totalBytes: 14 });
  expect(told.at(-1)).toEqual({ receivedBytes: 11, totalBytes: 11 });
});

describe("closing", () => {
  it("closing the pool waits for the calls under way", async () => {
    const arrived = createDeferred();
    const finish = createDeferred();
    await using peer = await startPeer((_request, response) => {
      arrived.resolve();
      void finish.promise.then(() => sendJson(response, { ok: true, result: 3 }));
    });
    const client = open(peer.baseUrl);

    const call = client.task("t");
    await arrived.promise;
    const closed = client.close();
    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "CLIENT_CLOSED" });
    finish.resolve();

    expect(await call).toBe(3);
    await closed;
  });

  it("closing the pool stops waiting when told to, also by a second closing", async () => {
    const arrived = createDeferred();
    await using peer = await startPeer(() => arrived.resolve());
    const client = open(peer.baseUrl);

    const call = rejectionOf(client.task("t"));
    await arrived.promise;
    const closed = client.close();
    await client.close({ signal: AbortSignal.abort() });

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
    await closed;
  });

  it("closing the pool costs nothing for a client that was never used", async () => {
    await open("http://127.0.0.1:1/r").close();
    await open("/relative").close();
  });
});

it("the pool of a client sends by fetch where a stand-in takes the place of undici, as in Bun", async () => {
  await using peer = await startPeer((request, response) => {
    if (request.url?.endsWith("/stream")) return response.writeHead(200, { "content-type": "a/b" }).end("bytes");
    return sendJson(response, { ok: true, result: "sec-fetch-mode" in request.headers });
  });
  class Pool {}
  const standIn = async () => ({ Pool }) as never;
  const carrier = poolCarrier({ baseUrl: peer.baseUrl }, standIn);
  const client = createTunnelClient({ codec: createCallCodec, carrier });

  expect(await client.task("t", 1)).toBe(true);
  const reply = await client.task<number, Readable>("stream", 1);
  expect(reply).toBeInstanceOf(Readable);
  expect(await text(reply)).toBe("bytes");
  await client.close();
});

it("the pool of a client refuses a redirect and names it", async () => {
  await using peer = await startPeer((_request, response) =>
    response.writeHead(302, { location: "https://elsewhere.test/x", "content-type": "application/json" }).end("{}"),
  );
  await using client = open(peer.baseUrl);

  const error = await rejectionOf(client.task("t"));

  expect(error).toMatchObject({ code: "HTTP_ERROR", httpCode: 302 });
  expect(error.message).toContain('redirect (302) to "https://elsewhere.test/x"');
});

describe("a streamed reply", () => {
  it("a streamed reply is read at the pace of its reader", async () => {
    const blocked = createDeferred();
    await using peer = await startPeer((_request, response) => {
      response.writeHead(200, { "content-type": "a/b" });
      const write = (left: number): void => {
        if (left === 0) return void response.end();
        if (response.write(Buffer.alloc(65_536))) return write(left - 1);
        blocked.resolve();
        return void response.once("drain", () => write(left - 1));
      };
      write(400);
    });
    await using client = open(peer.baseUrl);

    const reply = await client.task<void, Readable>("t");
    await blocked.promise;

    let bytes = 0;
    for await (const chunk of reply) bytes += (chunk as Buffer).byteLength;
    expect(bytes).toBe(400 * 65_536);
  });

  it("a streamed reply that breaks off fails its reader, and not the process", async () => {
    using uncaught = watchUncaught();
    await using peer = await startPeer((request, response) => {
      response.writeHead(200, { "content-type": "a/b" });
      response.write("part", () => request.socket.destroy());
    });
    await using client = open(peer.baseUrl);

    const reply = await client.task<void, Readable>("t");

    expect(await rejectionOf(text(reply))).toMatchObject({ code: "ECONNRESET" });
    expect(uncaught.seen).toEqual([]);
  });

  it("a streamed reply in a coding that is unknown fails its call, and not the process", async () => {
    using uncaught = watchUncaught();
    await using peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "a/b", "content-encoding": "zebra" }).end("x"),
    );
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(uncaught.seen).toEqual([]);
  });

  it("a streamed reply frees its connection when it is destroyed unread", async () => {
    const left = createDeferred();
    await using peer = await startPeer((request, response) => {
      if (request.url?.endsWith("/next")) return sendJson(response, { ok: true, result: "next" });
      response.on("close", left.resolve);
      return response.writeHead(200, { "content-type": "a/b" }).write("part");
    });
    await using client = open(peer.baseUrl, { maxConnections: 1 });

    (await client.task<void, Readable>("t")).destroy();

    await left.promise;
    expect(await client.task("next")).toBe("next");
  });
});
