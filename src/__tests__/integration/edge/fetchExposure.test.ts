import { fetchExposure, r, run, useFetchContext, type FetchExposureHttpConfig, type ILog } from "../../../index";
import { createDeferred } from "../../support/deferred";
import { formHeaders, formOf, manifestPart } from "../../edge/forms";

const token = "s3cret";
const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();

async function start(http: FetchExposureHttpConfig = {}, tasks: readonly (typeof echo)[] = [echo]) {
  const logs: ILog[] = [];
  const listener = r
    .resource("test.logs")
    .dependencies({ logger: (await import("../../../index")).globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => void logs.push(log)))
    .build();
  const server = r.tunnel
    .server("test.server")
    .tasks([...tasks])
    .build();
  const app = r
    .resource("test")
    .register([listener, ...tasks, server, fetchExposure.with({ http: { auth: { token }, ...http } })])
    .build();
  const result = await run(app, {
    shutdownHooks: false,
    errorBoundary: false,
    onUnhandledError: () => {},
    mode: "dev",
  });
  const edge = result.getResourceValue(fetchExposure);
  const post = (id: string, init: RequestInit = {}, info = {}) =>
    edge.fetch(
      new Request(`http://edge.test/__runner/task/${id}`, {
        method: "POST",
        body: "{}",
        ...init,
        headers: { "x-runner-token": token, ...(init.headers as Record<string, string>) },
      }),
      info,
    );
  return { edge, logs, post, [Symbol.asyncDispose]: () => result.dispose() };
}

const codeOf = async (reply: Response): Promise<unknown> =>
  ((await reply.json()) as { error: { code: string } }).error.code;
const hang = (started: () => void) =>
  r
    .task("hang")
    .run(async (_input: unknown, _dependencies, { signal }) => {
      started();
      await new Promise<void>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
      );
    })
    .build() as unknown as typeof echo;

describe("who may call a fetch edge", () => {
  it.each(["127.0.0.1", "::1", undefined])(
    "without authentication a fetch edge serves no caller, also where it is told that it comes from %s",
    async (remoteAddress) => {
      await using edge = await start({ auth: {} });

      const reply = await edge.post("echo", {}, { remoteAddress });

      expect([reply.status, await codeOf(reply)]).toEqual([500, "AUTH_NOT_CONFIGURED"]);
    },
  );

  it("a fetch edge with allowAnonymous serves every caller", async () => {
    await using edge = await start({ auth: { allowAnonymous: true } });

    expect((await edge.post("echo")).status).toBe(200);
  });

  it("a fetch edge counts failures by the address it is told, and by no header", async () => {
    await using edge = await start({ auth: { token, maxFailures: 2 } });
    const headers = { "x-runner-token": "wrong" };
    const fail = (info: object, more: object = {}) => edge.post("echo", { headers: { ...headers, ...more } }, info);

    for (let count = 0; count < 3; count++) await fail({}, { "x-forwarded-for": "192.0.2.1" });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count++) statuses.push((await fail({ remoteAddress: "192.0.2.1" })).status);

    expect(statuses).toEqual([401, 401, 429]);
    expect((await fail({ remoteAddress: "192.0.2.2" })).status).toBe(401);
  });

  it("a fetch edge refuses a token with a comma, which could not be told from two headers", () => {
    expect(() => fetchExposure.with({ http: { auth: { token: "a,b" } } })).toThrow(
      "http.auth: a token of a fetch edge must not contain a comma.",
    );
  });

  it("a fetch edge takes a token from a cookie, but not from pages of other sites", async () => {
    await using edge = await start({ auth: { token, cookie: { name: "session" } } });
    const send = (more: object) =>
      edge.post("echo", { headers: { "x-runner-token": "", cookie: `session=${token}`, ...more } });

    const headers = { cookie: `session=${token}` };
    const request = (more: object) =>
      new Request("http://edge.test/__runner/task/echo", {
        method: "POST",
        body: "{}",
        headers: { ...headers, ...more },
      });

    expect((await edge.edge.fetch(request({}))).status).toBe(200);
    expect((await edge.edge.fetch(request({ "sec-fetch-site": "cross-site" }))).status).toBe(403);
    expect((await send({})).status).toBe(401);
  });
});

describe("bodies that a fetch edge cannot take", () => {
  it("a body that something else has read is answered by 500, and the log says so", async () => {
    await using edge = await start();
    const request = new Request("http://edge.test/__runner/task/echo", {
      method: "POST",
      body: "{}",
      headers: { "x-runner-token": token },
    });
    await request.text();

    const reply = await edge.edge.fetch(request);

    expect([reply.status, await codeOf(reply)]).toEqual([500, "INTERNAL_ERROR"]);
    expect(JSON.stringify(edge.logs)).toContain("hand the request over before it is read");
  });

  const failing = () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"inp')),
      pull: (controller) => controller.error(new Error("connection lost")),
    });

  it.each([
    ["text", {}],
    ["a form", formHeaders],
  ])("a body of %s that breaks is answered by 499", async (_what, headers) => {
    await using edge = await start();

    const reply = await edge.post("echo", { body: failing(), duplex: "half", headers } as RequestInit);

    expect([reply.status, await codeOf(reply)]).toEqual([499, "REQUEST_ABORTED"]);
  });

  const pieces = (count: number, piece: unknown) =>
    new ReadableStream({
      start(controller) {
        for (let index = 0; index < count; index++) controller.enqueue(piece);
        controller.close();
      },
    });

  it.each([
    ["strings", () => pieces(3, '{"input":1}'), {}],
    ["strings, as a form,", () => pieces(3, "--b"), formHeaders],
    ["a thousand empty pieces", () => pieces(2_000, new Uint8Array(0)), {}],
  ])("a body whose stream gives %s is answered by 499, and the task does not run", async (_what, body, headers) => {
    const runs: unknown[] = [];
    const counted = r.task("echo").run(async (input: unknown) => runs.push(input) && input);
    await using edge = await start({}, [counted.build()]);

    const reply = await edge.post("echo", { body: body(), duplex: "half", headers } as RequestInit);

    expect([reply.status, await codeOf(reply)]).toEqual([499, "REQUEST_ABORTED"]);
    expect(runs).toEqual([]);
  });

  it.each([
    ["a context of Hono", { req: { raw: {} } }],
    ["a request of Node", { url: "/__runner/task/echo", headers: {} }],
    ["a text", "http://edge.test/__runner/task/echo"],
    ["nothing", undefined],
  ])("%s in the place of a Request is refused by name", async (_what, given) => {
    await using edge = await start();

    expect(() => edge.edge.fetch(given as never)).toThrow("fetch(request) of fetchExposure takes a Request");
    expect(() => edge.edge.handle(given as never)).toThrow("handle(request) of fetchExposure takes a Request");
  });

  it("an info that is null is none", async () => {
    const rows = async function* () {
      yield "a";
    };
    const task = r.task("rows").run(async () => rows());
    await using edge = await start({}, [task.build() as never]);

    const reply = await edge.post("rows", {}, null as never);

    expect([reply.status, await reply.text()]).toEqual([200, "a"]);
  });

  it.each([
    ["text", {}],
    ["a form", formHeaders],
  ])("a body of %s that stops is answered by 408", async (_what, headers) => {
    await using edge = await start({ limits: { bodyIdleMs: 20 } });

    const reply = await edge.post("echo", { body: new ReadableStream(), duplex: "half", headers } as RequestInit);

    expect([reply.status, await codeOf(reply)]).toEqual([408, "REQUEST_TIMEOUT"]);
  });

  it("a form over the limit is refused by what it announces, before it is read", async () => {
    await using edge = await start({ limits: { multipart: { totalSize: 100 } } });
    const headers = { ...formHeaders, "content-length": "101" };

    const reply = await edge.post("echo", { body: new ReadableStream(), duplex: "half", headers } as RequestInit);

    expect([reply.status, await codeOf(reply)]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
  });

  it("a fetch edge ignores what comes behind the last boundary of a form, however long it goes on", async () => {
    await using edge = await start();
    const form = formOf(manifestPart("whole"));
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(form),
      pull: () => new Promise(() => {}),
    });

    const reply = await edge.post("echo", { body, duplex: "half", headers: formHeaders } as RequestInit);

    expect(await reply.json()).toEqual({ ok: true, result: "whole" });
  });
});

describe("a fetch edge under load and at its end", () => {
  it("a fetch edge answers 503 beyond inFlight, and gives the place of a caller that has left to the next", async () => {
    const started = createDeferred();
    await using edge = await start({ limits: { inFlight: 1 }, drain: { graceMs: 0 } }, [echo, hang(started.resolve)]);
    const leaving = new AbortController();
    const first = edge.post("hang", { signal: leaving.signal });
    await started.promise;

    const refused = await edge.post("echo");
    expect([refused.status, refused.headers.get("retry-after"), await codeOf(refused)]).toEqual([
      503,
      "1",
      "OVERLOADED",
    ]);
    leaving.abort();

    expect((await first).status).toBe(499);
    expect((await edge.post("echo")).status).toBe(200);
  });

  it("a fetch edge that is closed answers 503 SERVER_CLOSING, and aborts what takes longer than it waits", async () => {
    const started = createDeferred();
    await using edge = await start({ drain: { graceMs: 0 } }, [echo, hang(started.resolve)]);
    const hanging = edge.post("hang");
    await started.promise;

    await edge.edge.close();

    const given = await hanging;
    expect([given.status, await given.json()]).toMatchObject([
      503,
      { error: { code: "SERVER_CLOSING", data: { ran: true } } },
    ]);
    const reply = await edge.post("echo");
    expect([reply.status, reply.headers.get("retry-after"), await codeOf(reply)]).toEqual([503, "1", "SERVER_CLOSING"]);
    expect(edge.edge.phase).toBe("closed");
  });

  it("a fetch edge cuts the response of a task that fails after it has replied", async () => {
    const failing = r
      .task("failing")
      .run(async (_input: unknown) => {
        useFetchContext().respond(new Response(new ReadableStream()));
        throw new Error("later");
      })
      .build() as unknown as typeof echo;
    await using edge = await start({}, [failing]);

    const reply = await edge.post("failing");

    expect(reply.status).toBe(200);
    await expect(reply.text()).rejects.toThrow("failed after it had replied");
  });
});

it("a fetch edge leaves paths outside its base path to others, and answers 404 where it is asked alone", async () => {
  await using edge = await start({ basePath: "/api/runner" });
  const request = new Request("http://edge.test/elsewhere");

  expect(edge.edge.handle(request)).toBeUndefined();
  const reply = await edge.edge.fetch(request);
  expect([reply.status, reply.headers.get("access-control-allow-origin")]).toEqual([404, null]);
  expect(edge.edge.basePath).toBe("/api/runner");
});

it("a fetch edge refuses to boot in the edge runtime of Next, and says why", async () => {
  const scope = globalThis as { EdgeRuntime?: string };
  scope.EdgeRuntime = "edge-runtime";
  try {
    await expect(start()).rejects.toThrow("does not serve in the edge runtime of Next");
  } finally {
    delete scope.EdgeRuntime;
  }
});
