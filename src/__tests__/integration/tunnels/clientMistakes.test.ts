import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  r,
  type ClientCallOptions,
  type HttpClient,
  type HttpSmartClientConfig,
} from "../../../node";
import { createDeferred } from "../../support/deferred";
import { buildTimeoutMs, ensureBuilt } from "../../support/ensureBuilt";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../support/httpPeer";
import { runSnippet } from "../../support/runSnippet";
import { stopTime } from "../../support/stopTime";
import { watchUncaught } from "../../support/watchUncaught";

type Create = (config: HttpSmartClientConfig) => HttpClient;

const smart: [string, Create] = ["Smart", createHttpSmartClient];
const mixed: [string, Create] = ["Mixed", createHttpMixedClient];
const universal: [string, Create] = ["universal", createHttpClient];
const all = [universal, mixed, smart];
const ofNode = [mixed, smart];

const settled = () => new Promise((resolve) => setImmediate(resolve));

it.each(all)("a call of an undefined definition, as a circular import gives it, says so: %s", async (_name, create) => {
  await using client = create({ baseUrl: "http://127.0.0.1:9" });
  const missing = undefined as unknown as string;

  const error = await rejectionOf(client.task(missing, { a: 1 }));

  expect(error.message).toContain("A call names its target by id, a string, or by its definition, got undefined.");
});

describe.each(all)("a progress callback that throws: %s", (_name, create) => {
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

it.each(all)("a progress callback that rejects fails its call: %s", async (_name, create) => {
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

describe.each(ofNode)("a progress callback that throws over a stream or a file: %s", (_name, create) => {
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

describe.each(ofNode)("the streams of a call that fails: %s", (_name, create) => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  const context = r
    .asyncContext<string>("app.text")
    .serialize(() => {
      throw new Error("no text for it");
    })
    .build();

  interface Failing {
    readonly config?: Partial<HttpSmartClientConfig>;
    readonly options?: ClientCallOptions;
    readonly beside?: unknown;
    readonly id?: string;
  }
  const failures: [string, Failing][] = [
    ["its signal was aborted before", { options: { signal: AbortSignal.abort(new Error("before")) } }],
    ["a hook throws", { config: { onRequest: () => Promise.reject(new Error("hook")) } }],
    ["a header cannot be sent", { config: { auth: { token: "two\nlines" } } }],
    ["its id cannot be written", { id: "\ud800" }],
    ["a context cannot be written", { config: { contexts: [context] } }],
    ["nobody listens", { config: { baseUrl: "http://127.0.0.1:1" } }],
  ];

  const failed = async ({ config, options, beside, id = "t" }: Failing, input: (source: Readable) => unknown) => {
    using uncaught = watchUncaught();
    await using client = create({ baseUrl: "http://127.0.0.1:1/__runner", ...config });
    const missing = createReadStream("/no/such/file");
    const open = new Readable({ read() {} });
    const closed = new Promise((resolve) => open.once("close", resolve));

    for (const source of [missing, open]) {
      const call = () => client.task(id, input(source), options);
      await rejectionOf(beside === undefined ? context.provide("x", call) : call());
    }

    await closed;
    await settled();
    return uncaught.seen;
  };

  it.each(failures)(
    "the streams of a call are closed, and fail nothing else, when %s: octets",
    async (_why, failing) => {
      expect(await failed(failing, (source) => source)).toEqual([]);
    },
  );

  it.each<[string, Failing]>([...failures, ["something beside it cannot be sent", { beside: loop }]])(
    "the streams of a call are closed, and fail nothing else, when %s: a file",
    async (_why, failing) => {
      const input = (stream: Readable) => ({ f: createNodeFile({ name: "f" }, { stream }), beside: failing.beside });

      expect(await failed(failing, input)).toEqual([]);
    },
  );

  it("the streams of a call are refused when they were read before, or are two files at once", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
    await using client = create({ baseUrl: peer.baseUrl });
    const used = Readable.from(["x"]);
    await used.toArray();
    const shared = Readable.from(["x"]);
    const fileOf = (stream: Readable, id = "A") => createNodeFile({ name: id }, { stream }, id);

    const errors = [
      await rejectionOf(client.task("t", used)),
      await rejectionOf(client.task("t", { f: fileOf(used) })),
      await rejectionOf(client.task("t", [fileOf(shared, "A"), fileOf(shared, "B")])),
    ];

    const wasRead = "A stream to be sent was read, destroyed or given to a call before. Make a new one for each call.";
    expect(errors.map(({ message }) => message.split("\n")[0])).toEqual([
      wasRead,
      wasRead,
      'The file "B" has the stream of another one. A stream can be read once.',
    ]);
    expect(peer.received).toEqual([]);
  });

  it("the streams of a call are one call's: a second one is refused and leaves the first alone", async () => {
    await using peer = await startPeer((_request, response, body) => sendJson(response, { ok: true, result: body }));
    await using client = create({ baseUrl: peer.baseUrl });
    const stream = Readable.from(["all of it"]);
    const call = () => client.task<unknown, string>("t", { f: createNodeFile({ name: "f" }, { stream }) });

    const [first, second] = await Promise.all([call(), rejectionOf(call())]);

    expect(first).toContain("all of it");
    expect(second.message).toContain("given to a call before");
  });

  it.each([
    ["octets", (source: Readable): unknown => source],
    ["a file", (stream: Readable): unknown => ({ f: createNodeFile({ name: "f" }, { stream }) })],
  ])("the streams of a call fail it when they are destroyed midway, and not the network: %s", async (_what, input) => {
    const arrived = createDeferred();
    await using peer = await startStreamingPeer((request) => void request.once("data", () => arrived.resolve()));
    await using client = create({ baseUrl: peer.baseUrl });
    const source = new PassThrough();
    source.write("x");

    const call = rejectionOf(client.task("t", input(source)));
    await arrived.promise;
    source.destroy();

    expect((await call).message).toMatch(/^(A stream was destroyed before all was sent\.|Premature close)(\n|$)/);
  });

  it("the streams of a call are read no further once the answer is there", async () => {
    await using peer = await startStreamingPeer((request, response) => {
      request.resume();
      sendJson(response, { ok: false, error: { code: "UNAUTHORIZED", message: "no" } }, 401);
    });
    await using client = create({ baseUrl: peer.baseUrl });
    const endless = new Readable({
      read() {
        setImmediate(() => this.push("x"));
      },
    });
    const closed = once(endless, "close");

    expect(await rejectionOf(client.task("t", endless))).toMatchObject({ code: "UNAUTHORIZED" });
    await closed;
    await client.close();
  });
});

describe.each(ofNode)("a reply with a content coding: %s", (_name, create) => {
  it.each<[string, number, Record<string, string>, Buffer | string, object]>([
    ["a refusal without a body", 502, { "content-encoding": "gzip" }, "", { code: "HTTP_ERROR", httpCode: 502 }],
    ["a refusal of garbage", 502, { "content-encoding": "gzip" }, "nonsense", { code: "HTTP_ERROR", httpCode: 502 }],
    ["a refusal in an unknown one", 502, { "content-encoding": "zap" }, "?", { code: "HTTP_ERROR", httpCode: 502 }],
    [
      "a readable refusal",
      502,
      { "content-encoding": "gzip", "content-type": "text/html" },
      gzipSync("<h1>no</h1>"),
      { details: { bodyPreview: "<h1>no</h1>" } },
    ],
    [
      "an empty envelope",
      200,
      { "content-encoding": "gzip", "content-type": "application/json" },
      "",
      { code: "INVALID_RESPONSE" },
    ],
  ])("a reply with a content coding is an error of the call: %s", async (_what, status, headers, body, expected) => {
    await using peer = await startPeer((_request, response) => response.writeHead(status, headers).end(body));
    await using client = create({ baseUrl: peer.baseUrl });

    expect(await rejectionOf(client.task("t", 1))).toMatchObject(expected);
  });
});

it.each(ofNode)("a reply that says it was encoded a thousand times is refused: %s", async (_name, create) => {
  const encoding = Array.from({ length: 1000 }, () => "gzip").join(",");
  await using peer = await startPeer((_request, response) =>
    response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding }).end("x"),
  );
  await using client = create({ baseUrl: peer.baseUrl });

  expect(await rejectionOf(client.task("t"))).toMatchObject({
    code: "INVALID_RESPONSE",
    message: expect.stringMatching(/^Tunnel reply is encoded 1000 times\.\n {2}at most 4 codings/) as string,
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

describe.each(ofNode)("what happens while a call waits for a hook: %s", (_name, create) => {
  it("while a call waits for a hook, an abort ends it, also with a time limit", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const controller = new AbortController();
    const reason = new Error("enough");
    const context = r
      .asyncContext<string>("app.aborting")
      .serialize(() => {
        controller.abort(reason);
        return "x";
      })
      .build();
    await using client = create({ baseUrl: peer.baseUrl, timeoutMs: 5000, contexts: [context] });

    const call = context.provide("x", () => client.task("t", 1, { signal: controller.signal }));

    expect(await rejectionOf(call)).toBe(reason);
    expect(peer.received).toEqual([]);
  });

  it("while a call waits for a hook, closing the client waits for it", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const hook = createDeferred();
    const client = create({ baseUrl: peer.baseUrl, onRequest: () => hook.promise });
    const call = client.task("t", 1);

    const closing = client.close();
    hook.resolve();

    expect(await call).toBe(1);
    await closing;
  });

  it("while a call waits for a hook, closing the client without waiting fails it", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const hook = createDeferred();
    const client = create({ baseUrl: peer.baseUrl, onRequest: () => hook.promise });
    const call = rejectionOf(client.task("t", 1));

    await client.close({ signal: AbortSignal.abort() });
    hook.resolve();

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(peer.received).toEqual([]);
  });
});

it.each(all)("closing without waiting ends calls wherever they hang: %s", async (_name, create) => {
  await using silent = await startStreamingPeer(() => {});
  const inFlight = create({ baseUrl: silent.baseUrl });
  const inHook = create({ baseUrl: silent.baseUrl, onRequest: () => new Promise(() => {}) });

  for (const client of [inFlight, inHook]) {
    const call = rejectionOf(client.task("t", 1));
    await settled();
    await client.close({ signal: AbortSignal.timeout(20) });

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
  }
});

it("a client reads a reply whose headers are repeated", async () => {
  await using peer = await startPeer((_request, response) => {
    const text = gzipSync(gzipSync(JSON.stringify({ ok: true, result: "twice" })));
    response.writeHead(200, [
      ...["content-type", "application/json"],
      ...["content-encoding", "gzip"],
      ...["content-encoding", "gzip"],
    ]);
    response.end(text);
  });
  await using client = createHttpMixedClient({ baseUrl: peer.baseUrl });

  expect(await client.task("t")).toBe("twice");
});

it(
  "many calls may share one signal, and nothing is said about it",
  async () => {
    await ensureBuilt();
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));

    // What Node has to say goes to the error output, past any test that listens.
    const { stderr, stdout } = await runSnippet({
      code: `
      import { createHttpClient, createHttpMixedClient, createHttpSmartClient } from "@bluelibs/runner/node";
      const { signal } = new AbortController();
      for (const create of [createHttpClient, createHttpMixedClient, createHttpSmartClient]) {
        for (const timeoutMs of [0, 5000]) {
          await using client = create({ baseUrl: "${peer.baseUrl}", timeoutMs });
          await Promise.all(Array.from({ length: 20 }, () => client.task("t", 1, { signal })));
        }
      }
      console.log("done");`,
    });

    expect({ stderr, stdout }).toEqual({ stderr: "", stdout: "done\n" });
  },
  buildTimeoutMs,
);

it.each(all)("a token beyond ASCII arrives as it is: %s", async (_name, create) => {
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: true }));
  await using client = create({ baseUrl: peer.baseUrl, auth: { token: "pässword" } });

  await client.task("t", { text: "☕" });

  expect(peer.received[0]).toMatchObject({
    headers: { "x-runner-token": "pässword" },
    body: '{"input":{"text":"☕"}}',
  });
});

describe("what stands in for fetch", () => {
  it("what stands in for fetch may change the headers it is given", async () => {
    const seen: unknown[] = [];
    const client = createHttpClient({
      baseUrl: "http://x",
      fetchImpl: async (_url, init) => {
        const headers = init?.headers as Record<string, string>;
        headers["x-mine"] = "1";
        seen.push(headers);
        return new Response('{"ok":true}');
      },
    });

    await client.task("a");
    await client.task("b");

    const headers = { "content-type": "application/json; charset=utf-8", "x-mine": "1" };
    expect(seen).toEqual([headers, headers]);
  });

  it.each([
    ["a time limit", { timeoutMs: 20 }, "This operation was aborted"],
    ["the caller's signal", {}, "The caller has left."],
  ])(
    "what stands in for fetch may know nothing of signals, and be stuck in a reply: %s ends it",
    async (_what, config, message) => {
      using time = stopTime();
      const [stuck, cancelled] = [createDeferred(), createDeferred()];
      const endless = () => new ReadableStream({ pull: () => stuck.resolve(), cancel: () => cancelled.resolve() });
      const caller = new AbortController();
      const client = createHttpClient({
        baseUrl: "http://x",
        fetchImpl: async () => new Response(endless()),
        ...config,
      });

      const failed = rejectionOf(client.task("t", 1, { signal: caller.signal }));
      await stuck.promise;
      if ("timeoutMs" in config) time.advance(20);
      else caller.abort(new Error(message));

      expect((await failed).message.split("\n")[0]).toBe(message);
      await cancelled.promise;
    },
  );
});

it("a client throws a typed error again with the data it was thrown with, null included", async () => {
  const refused = r
    .error<{ why: string }>("app.refused")
    .format((data: { why: string } | null) => String(data?.why))
    .build();
  const error = { code: "INTERNAL_ERROR", message: "m", id: refused.id, data: null };
  await using peer = await startPeer((_request, response) => sendJson(response, { ok: false, error }, 500));
  await using client = createHttpMixedClient({
    baseUrl: peer.baseUrl,
    errorRegistry: new Map([[refused.id, refused]]),
  });

  const caught = await rejectionOf(client.task("t"));

  expect(refused.is(caught) && caught.data).toBeNull();
});

it("a client compresses the plain calls of the Mixed client, too", async () => {
  await using peer = await startPeer((request, response) => {
    const { "content-encoding": sent, "accept-encoding": accepted } = request.headers;
    const result = gzipSync(JSON.stringify({ ok: true, result: { sent, accepted } }));
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(result);
  });
  await using client = createHttpMixedClient({
    baseUrl: peer.baseUrl,
    compression: { requests: true, responses: true },
  });

  expect(await client.task("t", "x".repeat(5000))).toEqual({ sent: "gzip", accepted: "gzip, deflate, br" });
});
