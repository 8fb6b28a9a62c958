import { text } from "node:stream/consumers";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../__tests__/support/httpPeer";
import { createFile } from "../../platform/createFile";
import { createExposureClient, createExposureFetch, createHttpClient } from "./httpClients";

it("a client over fetch needs a fetch", () => {
  const original = globalThis.fetch;
  Reflect.deleteProperty(globalThis, "fetch");
  try {
    for (const create of [createHttpClient, createExposureFetch]) {
      expect(thrownBy(() => create({ baseUrl: "http://x" })).message).toBe(
        "global fetch is not available; provide fetchImpl in config",
      );
    }
  } finally {
    globalThis.fetch = original;
  }
});

it("a client over fetch calls what was given instead of fetch the way fetch is called", async () => {
  const calls: unknown[] = [];
  const fetchImpl = async (url: unknown, init: unknown) => {
    calls.push([url, init]);
    return new Response('{"ok":true,"result":3}', { headers: { "content-type": "application/json" } });
  };

  const client = createExposureClient({ url: "http://example.test/__runner", fetchImpl, auth: { token: "tk" } });

  expect(await client.task<{ a: number }, number>("t", { a: 1 })).toBe(3);
  expect(calls).toEqual([
    [
      "http://example.test/__runner/task/t",
      {
        method: "POST",
        headers: { "content-type": "application/json; charset=utf-8", "x-runner-token": "tk" },
        body: '{"input":{"a":1}}',
        signal: undefined,
        redirect: "manual",
      },
    ],
  ]);
});

it("a client over fetch does not wait for a stand-in that knows no signals", async () => {
  const client = createHttpClient({ baseUrl: "http://x", fetchImpl: () => new Promise(() => {}), timeoutMs: 1 });

  expect(await rejectionOf(client.task("t"))).toMatchObject({ name: "AbortError" });
});

it.each([
  ["createHttpClient", createHttpClient],
  ["createExposureFetch", createExposureFetch],
])(
  "a client over fetch keeps its credentials from wherever a redirect leads, and names it: %s",
  async (_name, create) => {
    await using thief = await startPeer((_request, response) => sendJson(response, { ok: true }));
    await using peer = await startPeer((_request, response) =>
      response.writeHead(307, { location: thief.baseUrl }).end(),
    );

    const error = await rejectionOf(create({ baseUrl: peer.baseUrl, auth: { token: "secret" } }).task("t"));

    expect(error.name).toBe("TypeError");
    expect(error.message.split("\n")[0]).toBe("fetch failed");
    expect(error.message).toContain(`redirect (307) to "${thief.baseUrl}"`);
    expect(thief.received).toEqual([]);
  },
);

it("a client over fetch refuses a redirect that a browser shows without its status", async () => {
  const opaque = { type: "opaqueredirect", status: 0, headers: new Headers(), body: null } as Response;
  const client = createHttpClient({ baseUrl: "http://x", fetchImpl: async () => opaque });

  expect((await rejectionOf(client.task("t"))).message).toContain("The server replied with a redirect.");
});

it.each(["body", "head"])("a client over fetch times out while it waits for the %s of the reply", async (part) => {
  await using peer = await startPeer((_request, response) => {
    if (part === "body") response.writeHead(200, { "content-type": "application/json" }).write('{"ok":');
  });

  const call = createHttpClient({ baseUrl: peer.baseUrl, timeoutMs: 100 }).task("t");

  expect(await rejectionOf(call)).toMatchObject({
    name: "AbortError",
    message: expect.stringMatching(/^This operation was aborted\n {2}no reply within \d+ ms\n {2}task /) as string,
  });
});

it("a client over fetch lets the server notice that the caller aborted", async () => {
  const arrived = createDeferred();
  const left = createDeferred();
  await using peer = await startPeer((_request, response) => {
    response.on("close", left.resolve);
    arrived.resolve();
  });
  const controller = new AbortController();
  const reason = new Error("enough");

  const call = rejectionOf(createHttpClient({ baseUrl: peer.baseUrl }).task("t", 1, { signal: controller.signal }));
  await arrived.promise;
  controller.abort(reason);

  expect(await call).toBe(reason);
  await left.promise;
});

it("a client over fetch rejects a reply that ends early", async () => {
  await using peer = await startPeer((request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
    response.write('{"ok":true', () => request.socket.destroy());
  });

  expect(await rejectionOf(createHttpClient({ baseUrl: peer.baseUrl }).task("t"))).toMatchObject({ name: "TypeError" });
});

it("a client over fetch tells how much of an upload and of a reply has gone", async () => {
  const reply = JSON.stringify({ ok: true, result: "x".repeat(200_000) });
  await using peer = await startPeer((_request, response) =>
    response.writeHead(200, { "content-type": "application/json", "content-length": reply.length }).end(reply),
  );
  const sent: unknown[] = [];
  const received: { receivedBytes: number; totalBytes?: number | undefined }[] = [];
  const file = createFile({ name: "a.bin" }, new Blob(["12345"]));

  await createHttpClient({ baseUrl: peer.baseUrl }).task("t", file, {
    onProgress: (progress) => sent.push(progress),
    onDownloadProgress: (progress) => received.push(progress),
  });

  const bytes = '{"input":{"$runnerFile":"File","id":"F1","meta":{"name":"a.bin"}}}'.length + 5;
  expect(sent).toEqual([{ sentBytes: bytes, totalBytes: bytes }]);
  expect(received.at(-1)).toEqual({ receivedBytes: reply.length, totalBytes: reply.length });
});

it.each(["blob", "stream", "file of Node"])(
  "a client over fetch sends JSON only from the smallest client: refuses a %s",
  async (what) => {
    const inputs: Record<string, unknown> = {
      blob: createFile({ name: "a" }, new Blob([])),
      stream: new ReadableStream(),
      "file of Node": createFile({ name: "a" }, { buffer: new Uint8Array() }),
    };
    await using peer = await startStreamingPeer((_request, response) => response.end());

    const error = await rejectionOf(createExposureFetch({ baseUrl: peer.baseUrl }).task("t", inputs[what]));

    expect(error.message).toContain("createExposureFetch sends JSON only.");
    expect(peer.connectionCount).toBe(0);
  },
);

it("a client over fetch takes no calls once it is closed", async () => {
  const client = createHttpClient({ baseUrl: "http://x" });

  await client.close();

  expect(await rejectionOf(client.task("t"))).toMatchObject({ name: "TunnelError", code: "CLIENT_CLOSED" });
});

describe("a streamed reply", () => {
  const forged = '{"ok":true,"result":"forged"}';
  const replyWith = (type: string) =>
    startPeer((_request, response) => response.writeHead(200, { "content-type": type }).end(forged));

  it.each([
    ["createHttpClient", createHttpClient],
    ["createExposureFetch", createExposureFetch],
  ])("a streamed reply is a web stream, whatever its bytes look like: %s", async (_name, create) => {
    for (const type of ["application/octet-stream", "text/plain", "text/plain;charset=UTF-8"]) {
      await using peer = await replyWith(type);

      const reply = await create({ baseUrl: peer.baseUrl }).task<void, ReadableStream<Uint8Array>>("t");

      expect(reply).toBeInstanceOf(ReadableStream);
      expect(await text(reply)).toBe(forged);
    }
  });

  it("a streamed reply is no reply to an event", async () => {
    await using peer = await replyWith("text/plain");

    const error = await rejectionOf(createHttpClient({ baseUrl: peer.baseUrl }).eventWithResult("e", 1));

    expect(error).toMatchObject({ code: "INVALID_RESPONSE", details: { statusCode: 200, contentType: "text/plain" } });
  });

  it("a streamed reply may be empty", async () => {
    await using peer = await startPeer((_request, response) => response.writeHead(204).end());

    const reply = await createHttpClient({ baseUrl: peer.baseUrl }).task<void, ReadableStream>("t");

    expect(await text(reply)).toBe("");
  });

  /** Replies with a piece, and waits. */
  const startSlow = (onClose: () => void = () => {}) =>
    startPeer((_request, response) => {
      response.on("close", onClose);
      response.writeHead(200, { "content-type": "a/b" }).write("piece");
    });

  it("a streamed reply fails with the reason of its signal, however far it was read, and its server notices", async () => {
    const left = createDeferred();
    await using peer = await startSlow(left.resolve);
    const controller = new AbortController();
    const reason = new Error("enough");
    const client = createHttpClient({ baseUrl: peer.baseUrl, timeoutMs: 60_000 });

    const reply = await client.task<number, ReadableStream>("t", 1, { signal: controller.signal });
    const reading = rejectionOf(text(reply));
    controller.abort(reason);

    expect(await reading).toBe(reason);
    await left.promise;
  });

  it("a streamed reply is waited for by closing, and cut where closing does not wait", async () => {
    const finish = createDeferred();
    await using peer = await startPeer((_request, response) => {
      response.writeHead(200, { "content-type": "a/b" }).write("a");
      void finish.promise.then(() => response.end("b"));
    });
    const client = createHttpClient({ baseUrl: peer.baseUrl });

    const whole = await client.task<number, ReadableStream>("t", 1);
    const closed = client.close();
    finish.resolve();
    expect(await text(whole)).toBe("ab");
    await closed;

    await using slow = await startSlow();
    const cut = createHttpClient({ baseUrl: slow.baseUrl });
    const reading = rejectionOf(text(await cut.task<number, ReadableStream>("t", 1)));
    await cut.close({ signal: AbortSignal.abort() });
    expect(await reading).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  it("a streamed reply reports how much of it has arrived", async () => {
    await using peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "a/b", "content-length": 200_000 }).end("x".repeat(200_000)),
    );
    const told: unknown[] = [];

    const reply = await createHttpClient({ baseUrl: peer.baseUrl }).task<number, ReadableStream>("t", 1, {
      onDownloadProgress: (progress) => told.push(progress),
    });
    await text(reply);

    expect(told.at(-1)).toEqual({ receivedBytes: 200_000, totalBytes: 200_000 });
  });
});

it.each(["by its reader", "by its caller's signal"])(
  "a reply that is left %s while chunks of it wait ends what it comes from",
  async (how) => {
    const cancelled = createDeferred<unknown>();
    const endless = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: cancelled.resolve,
      });
    const client = createHttpClient({
      baseUrl: "http://x",
      fetchImpl: async () => new Response(endless(), { headers: { "content-type": "application/octet-stream" } }),
    });
    const controller = new AbortController();
    const stream = await client.task<void, ReadableStream<Uint8Array>>("t", undefined, { signal: controller.signal });
    const reader = stream.getReader();
    await reader.read();
    const reason = new Error("enough");

    if (how === "by its reader") await reader.cancel(reason);
    else controller.abort(reason);

    expect(await cancelled.promise).toBe(reason);
    await client.close();
  },
);
