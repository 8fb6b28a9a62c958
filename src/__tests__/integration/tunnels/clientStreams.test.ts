import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { createNodeFile, r, type ClientCallOptions, type HttpSmartClientConfig } from "../../../node";
import { nodeClientKinds } from "../../support/clientKinds";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../support/httpPeer";
import { watchUncaught } from "../../support/watchUncaught";

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe.each(nodeClientKinds)("the streams of a call that fails: %s", (_name, create) => {
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
