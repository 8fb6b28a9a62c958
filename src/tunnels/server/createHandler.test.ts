import { r } from "../../define/r";
import { unauthorized } from "../../errors/wireErrors";
import { globals } from "../../globals/index";
import { run } from "../../run";
import { textBody, type WireBody, type WireRequest, type WireResponse, type WireTarget } from "../protocol/wire";
import { createAllowListSource } from "./allowList";
import { createHandler } from "./createHandler";
import type { HandlerParts } from "./handlerParts";
import { createContextReader } from "./readContexts";

const shout = r
  .task("shout")
  .run(async (text: string) => text.toUpperCase())
  .build();
const fail = r
  .task("fail")
  .run(async () => {
    throw new Error("secret");
  })
  .build();
const count = r
  .task("count")
  .run(async () =>
    (async function* generate() {
      yield "1";
      yield "2";
    })(),
  )
  .build();
const takeFile = r
  .task("takeFile")
  .run(async ({ file }: { file: unknown }) => file)
  .build();
const look = r
  .task("look")
  .run(async (_input: void, _deps, info) => info?.signal.aborted)
  .build();
const relay = r
  .task("relay")
  .dependencies({ look, shout })
  .run(async (input: { looks: boolean }, deps) => (input.looks ? deps.look() : deps.shout("x")))
  .build();
const hidden = r
  .task("hidden")
  .run(async () => "never")
  .build();
const noted = r.event<{ n: number }>("noted").build();
const double = r
  .hook("double")
  .on(noted)
  .run(async ({ data }: { data: { n: number } }) => void (data.n *= 2))
  .build();
const tunnel = r
  .resource("tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server" as const, tasks: [shout, fail, count, takeFile, look, relay], events: [noted] }))
  .build();

const root = r
  .resource("app")
  .register([shout, fail, count, takeFile, look, relay, hidden, noted, double, tunnel])
  .build();

async function startHandler(parts: Partial<HandlerParts> = {}) {
  const app = await run(root, { shutdownHooks: false, errorBoundary: false, onUnhandledError: () => {} });
  const serializer = app.getResourceValue(globals.resources.serializer);
  const reports: unknown[] = [];
  const handle = createHandler({
    authenticate: () => ({ name: "anonymous" }),
    allowList: createAllowListSource(app.store, { transport: "test", open: false, onSkipped: () => {} }).freeze,
    readContexts: createContextReader(app.store.asyncContexts, serializer),
    eventManager: app.getResourceValue(globals.resources.eventManager),
    origin: "test",
    serializer,
    errors: app.store.errors,
    jsonBytes: 1000,
    openFile: (meta, source) => ({ meta, source }),
    report: (error) => reports.push(error),
    ...parts,
  });
  return { handle, reports, [Symbol.asyncDispose]: () => app.dispose() };
}

const call = (kind: WireTarget["kind"], id: string, body: WireBody | string = ""): WireRequest => ({
  target: { kind, id },
  headers: {},
  body: typeof body === "string" ? textBody(body) : body,
  signal: undefined,
});

const textOf = ({ body }: WireResponse): unknown => (body.kind === "text" ? JSON.parse(body.text) : body.kind);
const unread = (): WireBody => ({
  kind: "text",
  read: () => {
    throw new Error("read before anybody was let in");
  },
});

describe("a handler is a transport", () => {
  it("a handler is a transport that runs tasks", async () => {
    await using server = await startHandler();

    expect(textOf(await server.handle(call("task", "shout", '{"input":"a"}')))).toEqual({ ok: true, result: "A" });
  });

  it("a handler is a transport that emits events, and returns the payload when asked to", async () => {
    await using server = await startHandler();

    const plain = await server.handle(call("event", "noted", '{"payload":{"n":2}}'));
    const returned = await server.handle(call("event", "noted", '{"payload":{"n":2},"returnPayload":true}'));

    expect([textOf(plain), textOf(returned)]).toEqual([{ ok: true }, { ok: true, result: { n: 4 } }]);
  });

  it("a handler is a transport that takes forms whose files are there", async () => {
    await using server = await startHandler();
    const source = { bytes: new Uint8Array([1]) };
    const manifest = JSON.stringify({ input: { file: { $runnerFile: "File", id: "F1", meta: { name: "a" } } } });
    const body: WireBody = { kind: "form", manifest, files: [{ id: "F1", meta: { name: "b", type: "t" }, source }] };

    const reply = await server.handle(call("task", "takeFile", body));

    expect(textOf(reply)).toMatchObject({ ok: true, result: { meta: { name: "a", type: "t" } } });
  });

  it("a handler is a transport that misses a file of a form", async () => {
    await using server = await startHandler();
    const manifest = JSON.stringify({ input: { $ejson: "File", id: "F1" } });

    const reply = await server.handle(call("task", "takeFile", { kind: "form", manifest, files: [] }));

    expect([reply.status, textOf(reply)]).toEqual([
      500,
      { ok: false, error: { message: "Internal Error", code: "MISSING_FILE_PART" } },
    ]);
  });

  it("a handler is a transport that streams", async () => {
    await using server = await startHandler();

    const { body } = await server.handle(call("task", "count"));

    const chunks: Uint8Array[] = [];
    if (body.kind === "stream") for await (const chunk of body.stream) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("12");
  });

  it("a handler is a transport that lists what it serves", async () => {
    await using server = await startHandler();

    const reply = textOf(await server.handle(call("discovery", "")));

    expect(reply).toEqual({
      ok: true,
      result: {
        allowList: {
          enabled: true,
          tasks: ["shout", "fail", "count", "takeFile", "look", "relay"],
          events: ["noted"],
        },
      },
    });
  });

  it("a handler is a transport that never rejects, and reports what it does not tell", async () => {
    await using server = await startHandler();

    const reply = await server.handle(call("task", "fail"));

    expect([reply.status, textOf(reply)]).toEqual([
      500,
      { ok: false, error: { message: "Internal Error", code: "INTERNAL_ERROR" } },
    ]);
    expect(server.reports).toEqual([new Error("secret")]);
  });
});

describe("a body is not read", () => {
  it("a body is not read for a caller that is not let in", async () => {
    const authenticate = (): never => {
      throw unauthorized();
    };
    await using server = await startHandler({ authenticate });

    expect((await server.handle(call("task", "shout", unread()))).status).toBe(401);
  });

  it.each(["hidden", "nobody"])("a body is not read for %s, which is not served", async (id) => {
    await using server = await startHandler();

    expect((await server.handle(call("task", id, unread()))).status).toBe(403);
  });

  it("a body is not read when it is a form for an event", async () => {
    await using server = await startHandler();

    const reply = await server.handle(call("event", "noted", { kind: "form", manifest: "{}", files: [] }));

    expect(reply.status).toBe(400);
  });
});

describe("the signal", () => {
  const watched = (id: string, body = "") => {
    const reads = jest.fn(() => AbortSignal.abort());
    const request = Object.defineProperty(call("task", id, body), "signal", { get: reads });
    return { request, reads };
  };

  it.each([
    ["shout", '{"input":"a"}'],
    ["relay", '{"input":{"looks":false}}'],
  ])("the signal of a request stays unread while %s does not look at it", async (id, body) => {
    await using server = await startHandler();
    const { request, reads } = watched(id, body);

    await server.handle(request);

    expect(reads).not.toHaveBeenCalled();
  });

  it.each([
    ["look", ""],
    ["relay", '{"input":{"looks":true}}'],
  ])("the signal of a request reaches %s, and who it calls", async (id, body) => {
    await using server = await startHandler();
    const { request } = watched(id, body);

    expect(textOf(await server.handle(request))).toEqual({ ok: true, result: true });
  });
});
