import { gzipSync } from "node:zlib";
import { createHttpClient, createHttpMixedClient, r } from "../../../node";
import { clientKinds, nodeClientKinds } from "../../support/clientKinds";
import { createDeferred } from "../../support/deferred";
import { buildTimeoutMs, ensureBuilt } from "../../support/ensureBuilt";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer } from "../../support/httpPeer";
import { runSnippet } from "../../support/runSnippet";
import { stopTime } from "../../support/stopTime";

it.each(clientKinds)(
  "a call of an undefined definition, as a circular import gives it, says so: %s",
  async (_name, create) => {
    await using client = create({ baseUrl: "http://127.0.0.1:9" });
    const missing = undefined as unknown as string;

    const error = await rejectionOf(client.task(missing, { a: 1 }));

    expect(error.message).toContain("A call names its target by id, a string, or by its definition, got undefined.");
  },
);

describe.each(nodeClientKinds)("a reply with a content coding: %s", (_name, create) => {
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

it.each(nodeClientKinds)("a reply that says it was encoded a thousand times is refused: %s", async (_name, create) => {
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

it.each(clientKinds)("a token beyond ASCII arrives as it is: %s", async (_name, create) => {
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
