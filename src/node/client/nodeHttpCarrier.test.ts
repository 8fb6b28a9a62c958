import { createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../__tests__/support/httpPeer";
import { stopTime } from "../../__tests__/support/stopTime";
import { TunnelError } from "../../errors/tunnelError";
import { createNodeFile } from "../files/createNodeFile";
import { createHttpSmartClient, type HttpSmartClientConfig } from "./clientFactories";

const open = (baseUrl: string, config: Partial<HttpSmartClientConfig> = {}) =>
  createHttpSmartClient({ baseUrl, ...config });
const streamOf = (response: ServerResponse): void =>
  void response.writeHead(200, { "content-type": "application/octet-stream" });

describe("JSON", () => {
  it("a JSON call of the Smart client states its length, reuses its connections, and reads the envelope", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 3 }));
    await using client = open(peer.baseUrl);

    expect(await client.task<string, number>("t", "é")).toBe(3);
    expect(await client.eventWithResult("e", 1)).toBe(3);
    for (let call = 0; call < 5; call++) await client.event("e");

    expect(peer.received[0]).toMatchObject({ body: '{"input":"é"}', headers: { "content-length": "14" } });
    expect(peer.received[0]?.headers).not.toHaveProperty("accept-encoding");
    // The pool lets a connection rest for a turn of the event loop.
    expect(peer.connectionCount).toBeLessThanOrEqual(2);
  });

  it("a JSON call of the Smart client may be answered by a stream", async () => {
    await using peer = await startPeer((_request, response) => {
      streamOf(response);
      response.end("RAW");
    });
    await using client = open(peer.baseUrl);

    const reply = await client.task<number, Readable>("t", 1);

    expect(reply).toBeInstanceOf(Readable);
    expect(await text(reply)).toBe("RAW");
  });

  it("a JSON call of the Smart client is the only reply to an event", async () => {
    await using peer = await startPeer((_request, response) => {
      streamOf(response);
      response.end("RAW");
    });
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.event("e"))).toMatchObject({ code: "INVALID_RESPONSE" });
  });
});

describe("duplex", () => {
  it("a duplex call of the Smart client answers while the question is still being asked", async () => {
    await using peer = await startStreamingPeer((request, response) => {
      streamOf(response);
      request.on("data", (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
      request.on("end", () => response.end());
    });
    await using client = open(peer.baseUrl);
    const question = new PassThrough();

    question.write("a");
    const answer = await client.task("t", question);
    const pieces = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const next = async () => String((await pieces.next()).value);

    expect(await next()).toBe("A");
    question.end("b");
    expect(await next()).toBe("B");
    expect((await pieces.next()).done).toBe(true);
  });

  it.each([
    ["a web stream", () => new Blob(["ab", "c"]).stream()],
    ["text in object mode", () => Readable.from(["ab", "c"])],
    ["bytes", () => Readable.from(Buffer.from("abc"))],
  ])("a duplex call of the Smart client sends %s", async (_what, source) => {
    await using peer = await startPeer((_request, response, body) => sendJson(response, { ok: true, result: body }));
    await using client = open(peer.baseUrl);

    expect(await client.task<unknown, string>("t", source())).toBe("abc");
    expect(peer.received[0]?.headers["content-type"]).toBe("application/octet-stream");
  });

  it("a duplex call of the Smart client rejects a stream of anything but bytes, and lets the server know", async () => {
    const arrived = createDeferred();
    const aborted = createDeferred();
    await using peer = await startStreamingPeer((request) => {
      request.on("close", aborted.resolve);
      arrived.resolve();
    });
    await using client = open(peer.baseUrl);
    const source = new PassThrough({ objectMode: true });
    source.write("text");

    const call = rejectionOf(client.task("t", source));
    await arrived.promise;
    source.write({ a: 1 });

    expect((await call).message).toContain("a value of type object");
    await aborted.promise;
  });

  it("a duplex call of the Smart client fails the reply when the source fails after it started", async () => {
    await using peer = await startStreamingPeer((_request, response) => {
      streamOf(response);
      response.write("first");
    });
    await using client = open(peer.baseUrl);
    const source = new PassThrough();
    source.write("x");

    const reply = await client.task("t", source);
    source.destroy(new Error("source broke"));

    expect((await rejectionOf(buffer(reply))).message).toBe("source broke");
  });

  it("a duplex call of the Smart client survives a source that failed while a hook was awaited", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
    const source = createReadStream("/does/not/exist");
    const failed = createDeferred();
    source.once("close", failed.resolve);
    await using client = open(peer.baseUrl, { onRequest: () => failed.promise });

    expect(await rejectionOf(client.task("t", source))).toMatchObject({ code: "ENOENT" });
    const file = createNodeFile({ name: "a" }, { stream: createReadStream("/does/not/exist") });
    expect(await rejectionOf(client.task("t", { file }))).toMatchObject({ code: "ENOENT" });
  });

  it("a duplex call of the Smart client believes a refusal that comes while it is still sending", async () => {
    await using peer = await startStreamingPeer((request, response) => {
      response.setHeader("connection", "close");
      sendJson(response, { ok: false, error: { code: "PAYLOAD_TOO_LARGE", message: "Payload too large" } }, 413);
      request.resume();
    });
    await using client = open(peer.baseUrl);
    const endless = Readable.from(
      (async function* () {
        for (;;) yield await Promise.resolve(Buffer.alloc(16_384));
      })(),
    );

    expect(await rejectionOf(client.task("t", endless))).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    await new Promise((resolve) => (endless.closed ? resolve(undefined) : endless.once("close", resolve)));
  });
});

describe("streamed replies", () => {
  it("streamed replies to the Smart client are aborted by the signal, with its reason, and the server notices", async () => {
    const left = createDeferred();
    await using peer = await startPeer((_request, response) => {
      streamOf(response);
      response.write("first");
      response.on("close", left.resolve);
    });
    await using client = open(peer.baseUrl, { timeoutMs: 60_000 });
    const controller = new AbortController();
    const reason = new Error("enough");

    const reply = await client.task<number, Readable>("t", 1, { signal: controller.signal });
    controller.abort(reason);

    expect(await rejectionOf(buffer(reply))).toBe(reason);
    await left.promise;
  });

  it("streamed replies to the Smart client that are not read do not end the process when they break", async () => {
    const broken = createDeferred();
    await using peer = await startPeer((request, response) => {
      streamOf(response);
      response.write("first", () => request.socket.destroy());
    });
    await using client = open(peer.baseUrl);

    const reply = await client.task<number, Readable>("t", 1);
    reply.once("close", broken.resolve);

    await broken.promise;
    expect(reply.errored).toMatchObject({ code: "ECONNRESET" });
  });

  it("streamed replies to the Smart client of a refusal are an HTTP error with a preview", async () => {
    await using peer = await startPeer((_request, response) =>
      response.writeHead(503, { "content-type": "text/html" }).end("<h1>busy</h1>"),
    );
    await using client = open(peer.baseUrl);

    const error = (await rejectionOf(client.task("t", Readable.from(["x"])))) as TunnelError;

    expect(error).toMatchObject({ code: "HTTP_ERROR", httpCode: 503 });
    expect(error.details).toEqual({
      statusCode: 503,
      statusMessage: "Service Unavailable",
      contentType: "text/html",
      bodyPreview: "<h1>busy</h1>",
    });
    expect((error.details as { statusText: string }).statusText).toBe("Service Unavailable");
  });

  it("streamed replies to the Smart client of an endless refusal are read no further than the preview needs", async () => {
    const left = createDeferred();
    await using peer = await startPeer((_request, response) => {
      response.on("close", left.resolve);
      response.writeHead(500, { "content-type": "text/plain" });
      const write = (): void => void (response.destroyed || response.write("x".repeat(65_536), write));
      write();
    });
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "HTTP_ERROR" });
    await left.promise;
  });
});

describe("time", () => {
  it.each([
    ["the head of the reply never comes", false],
    ["the body of the reply never ends", true],
  ])("the time limit of the Smart client runs out when %s, and the server notices", async (_what, startsReply) => {
    const [arrived, left] = [createDeferred(), createDeferred()];
    await using peer = await startPeer((_request, response) => {
      response.on("close", left.resolve);
      if (startsReply) response.writeHead(200, { "content-type": "application/json" }).write('{"ok":');
      arrived.resolve();
    });
    await using client = open(peer.baseUrl, { timeoutMs: 100 });
    using time = stopTime();

    const failed = rejectionOf(client.task("a b"));
    await arrived.promise;
    time.advance(100);
    const error = await failed;

    expect(error).toBeInstanceOf(TunnelError);
    expect({ ...error, message: error.message.split("\n")[0] }).toEqual({
      name: "TunnelError",
      message: "Tunnel request timeout after 100ms",
      code: "REQUEST_TIMEOUT",
      details: { url: `${peer.baseUrl}/task/a%20b`, timeoutMs: 100, delivered: "unknown" },
      httpCode: 408,
    });
    await left.promise;
  });

  it("the time limit of the Smart client runs out for an upload that is not taken, and closes its source", async () => {
    await using peer = await startStreamingPeer(() => {});
    await using client = open(peer.baseUrl, { timeoutMs: 100 });
    const source = new Readable({ read() {} });
    const file = createNodeFile({ name: "a" }, { stream: source });

    expect(await rejectionOf(client.task("t", { file }))).toMatchObject({ code: "REQUEST_TIMEOUT" });
    await new Promise((resolve) => (source.closed ? resolve(undefined) : source.once("close", resolve)));
  });
});

describe("compression", () => {
  const big = "x".repeat(10_000);
  const compressed = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

  it.each(Object.entries(compressed))(
    "the Smart client's compression of replies is undone without being asked for: %s",
    async (encoding, compress) => {
      await using peer = await startPeer((request, response) => {
        const isJson = request.url?.endsWith("/json");
        const type = isJson ? "application/json" : "text/plain";
        response.writeHead(200, { "content-type": type, "content-encoding": encoding });
        response.end(compress(isJson ? JSON.stringify({ ok: true, result: big }) : big));
      });
      await using client = open(peer.baseUrl);

      expect(await client.task("json")).toBe(big);
      expect(await text(await client.task<void, Readable>("stream"))).toBe(big);
    },
  );

  it("the Smart client's compression of replies is asked for when switched on", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
    await using client = open(peer.baseUrl, { compression: { responses: true } });

    await client.task("t");

    expect(peer.received[0]?.headers["accept-encoding"]).toBe("gzip, deflate, br");
  });

  it.each([
    ["JSON", () => ({ a: 1 }), '{"input":{"a":1}}'],
    ["a stream", () => Readable.from(["raw"]), "raw"],
    ["a form", () => createNodeFile({ name: "a" }, { buffer: Buffer.from("content") }), "content"],
  ])("the Smart client's compression of requests covers %s", async (_what, input, expected) => {
    const bodies: string[] = [];
    await using peer = await startStreamingPeer((request, response) => {
      void buffer(request).then((bytes) => {
        bodies.push(`${String(request.headers["content-encoding"])}: ${gunzipSync(bytes).toString()}`);
        sendJson(response, { ok: true });
      });
    });
    await using client = open(peer.baseUrl, { compression: { requests: true } });

    await client.task("t", input());

    expect(bodies[0]).toContain("gzip: ");
    expect(bodies[0]).toContain(expected);
  });
});

describe("hostile replies", () => {
  it.each([
    ["text that is no JSON", { "content-type": "application/json" }, "<html>", { name: "SyntaxError" }],
    ["nothing", { "content-type": "application/json" }, "", { code: "INVALID_RESPONSE" }],
    [
      "garbage for gzip",
      { "content-type": "application/json", "content-encoding": "gzip" },
      "xx",
      { code: "Z_DATA_ERROR" },
    ],
    [
      "an unknown encoding",
      { "content-type": "application/json", "content-encoding": "zebra" },
      "xx",
      { code: "INVALID_RESPONSE" },
    ],
  ])(
    "hostile replies to the Smart client of %s reject the call and nothing else",
    async (_what, headers, body, expected) => {
      await using peer = await startPeer((_request, response) => response.writeHead(200, headers).end(body));
      await using client = open(peer.baseUrl);

      expect(await rejectionOf(client.task("t"))).toMatchObject(expected);
    },
  );

  it("hostile replies to the Smart client that end early reject the call", async () => {
    await using peer = await startPeer((request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
      response.write('{"ok":true', () => request.socket.destroy());
    });
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "ECONNRESET" });
  });

  it("hostile replies to the Smart client that are no HTTP reject the call", async () => {
    await using peer = await startPeer((request) => request.socket.end("SSH-2.0-OpenSSH\r\n"));
    await using client = open(peer.baseUrl);

    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: expect.stringMatching(/^HPE_/) as string });
  });

  it("hostile replies to the Smart client over the limit reject the call, compressed or not", async () => {
    const body = JSON.stringify({ ok: true, result: "x".repeat(100_000) });
    await using peer = await startPeer((request, response) => {
      const isZipped = request.url?.endsWith("/bomb") === true;
      response.writeHead(200, { "content-type": "application/json", ...(isZipped && { "content-encoding": "gzip" }) });
      response.end(isZipped ? gzipSync(body) : body);
    });
    await using client = open(peer.baseUrl, { maxReplyBytes: 50_000 });

    for (const id of ["plain", "bomb"]) {
      expect(await rejectionOf(client.task(id))).toMatchObject({
        message: expect.stringContaining(
          "Tunnel reply is larger than 50000 bytes.\n  the limit is maxReplyBytes",
        ) as string,
      });
    }
  });
});

describe("progress", () => {
  it("progress of the Smart client of a form of known length ends at its length, of a stream at what was sent", async () => {
    const told: Record<string, unknown[]> = { form: [], stream: [], json: [] };
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
    await using client = open(peer.baseUrl);
    const note = (key: string) => ({ onProgress: (progress: unknown) => told[key]?.push(progress) });

    await client.task("t", createNodeFile({ name: "é" }, { buffer: Buffer.alloc(300_000) }), note("form"));
    await client.task("t", Readable.from([Buffer.alloc(70_000), "é"]), note("stream"));
    await client.task("t", 1, note("json"));

    const [form] = peer.received;
    const formBytes = Buffer.byteLength(form?.body ?? "");
    expect(told["form"]?.at(-1)).toEqual({ sentBytes: formBytes, totalBytes: formBytes });
    expect(told["stream"]?.at(-1)).toEqual({ sentBytes: 70_002, totalBytes: undefined });
    expect(told["json"]).toEqual([{ sentBytes: 11, totalBytes: 11 }]);
  });

  it("progress of the Smart client of a streamed reply is told while it is read", async () => {
    const told: unknown[] = [];
    await using peer = await startPeer((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": 200_000 }).end("x".repeat(200_000));
    });
    await using client = open(peer.baseUrl);

    const reply = await client.task<void, Readable>("t", undefined, {
      onDownloadProgress: (progress) => told.push(progress),
    });
    await text(reply);

    expect(told.at(-1)).toEqual({ receivedBytes: 200_000, totalBytes: 200_000 });
  });
});

describe("closing", () => {
  it("closing the Smart client waits for streams that are still being read", async () => {
    const finish = createDeferred();
    await using peer = await startPeer((_request, response) => {
      streamOf(response);
      response.write("a");
      void finish.promise.then(() => response.end("b"));
    });
    const client = open(peer.baseUrl);

    const reply = await client.task<number, Readable>("t", 1);
    const closed = client.close();
    expect(await rejectionOf(client.task("t"))).toMatchObject({ code: "CLIENT_CLOSED" });
    finish.resolve();

    expect(await text(reply)).toBe("ab");
    await closed;
  });

  it("closing the Smart client cuts them when told to stop waiting", async () => {
    await using peer = await startPeer((_request, response) => {
      streamOf(response);
      response.write("a");
    });
    const client = open(peer.baseUrl);

    const reply = await client.task<number, Readable>("t", 1);
    const read = rejectionOf(text(reply));
    await client.close({ signal: AbortSignal.abort() });

    expect(await read).toMatchObject({ code: "ECONNRESET" });
  });
});

it("the Smart client has the last word of onRequest decide the boundary", async () => {
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = open(peer.baseUrl, {
    onRequest: ({ headers }) => void (headers["content-type"] = 'multipart/form-data; boundary="my own"'),
  });

  await client.task("t", createNodeFile({ name: "a" }, { buffer: Buffer.from("x") }));

  expect(peer.received[0]?.body.startsWith("--my own\r\n")).toBe(true);
});
