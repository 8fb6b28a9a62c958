import { setImmediate as nextTurn } from "node:timers/promises";
import {
  fetchExposure,
  r,
  run,
  useFetchContext,
  type FetchExposureHttpConfig,
  type RegisterableItems,
  type RequestTrace,
} from "../../../node/index";
import { formHeaders, formOf, manifestPart } from "../../edge/forms";
import { createDeferred } from "../../support/deferred";
import { listen } from "../../support/listen";
import { parseMetrics } from "../../support/prometheus";

const token = "s3cret";
const declined = r.error<{ id: string }>("shop.errors.declined").httpCode(402).build();
const echo = r
  .task("echo")
  .run(async (input: unknown) => {
    if (input === "declined") declined.throw({ id: "A1" });
    return input;
  })
  .build();
const counted = r
  .task("counted")
  .run(async () => new Response("12345").body)
  .build();
const replies = r
  .task("replies")
  .run(async () => useFetchContext().respond(new Response("own", { status: 203 })))
  .build();
const ping = r.event("ping").build();

async function start(http: FetchExposureHttpConfig = {}, ...items: readonly RegisterableItems[]) {
  const tasks = [echo, counted, replies];
  const open = r.tunnel
    .server("test.open")
    .tasks(() => true)
    .events([ping])
    .build();
  const app = r
    .resource("test")
    .register([...tasks, ...items, ping, declined, open, fetchExposure.with({ http: { auth: { token }, ...http } })])
    .build();
  const result = await run(app, {
    shutdownHooks: false,
    errorBoundary: false,
    logs: { printThreshold: null },
    onUnhandledError() {},
  });
  const edge = result.getResourceValue(fetchExposure);
  const post = (path: string, body: RequestInit["body"] = "{}", headers: Record<string, string> = {}, more = {}) =>
    edge.fetch(
      new Request(`http://edge.test/__runner/${path}`, {
        ...{ method: "POST", body },
        headers: { "x-runner-token": token, "content-type": "application/json", ...headers },
        ...more,
      }),
    );
  const get = (path: string, headers: Record<string, string> = {}) =>
    edge.fetch(new Request(`http://edge.test${path}`, { headers }));
  return { post, get, [Symbol.asyncDispose]: () => result.dispose() };
}

const ended = (requests: { readonly seen: readonly (readonly [string, RequestTrace])[] }): RequestTrace[] =>
  requests.seen.flatMap(([phase, message]) => (phase === "asyncEnd" ? [message] : []));

describe("runner:request of a fetch edge", () => {
  it("is published with id, caller, request id, status and the bytes of both bodies, as nodeExposure does", async () => {
    await using edge = await start();
    using requests = listen("runner:request");

    const body = JSON.stringify({ input: "ü" });
    const reply = await edge.post("task/echo", body, { "x-runner-request-id": "r-1" });
    const text = await reply.text();
    await edge.post("event/ping");

    expect(requests.phases().slice(0, 4)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(ended(requests)).toMatchObject([
      {
        taskId: "echo",
        requestId: "r-1",
        origin: "exposure:http",
        caller: expect.stringMatching(/^token:/) as string,
        status: 200,
        bytesIn: Buffer.byteLength(body),
        bytesOut: Buffer.byteLength(text),
        ms: expect.any(Number) as number,
      },
      { eventId: "ping", status: 200 },
    ]);
    expect(ended(requests)[0]).not.toHaveProperty("code");
  });

  it("has the code of a refusal, the id of a declared error, and neither id of what is no task", async () => {
    await using edge = await start();
    using requests = listen("runner:request");

    await edge.post("task/echo", "{}", { "x-runner-token": "wrong" });
    await edge.post("task/echo", JSON.stringify({ input: "declined" }));
    await edge.post("task/nowhere");
    await edge.post("nowhere");
    await edge.post("task/echo", "{");

    expect(ended(requests)).toMatchObject([
      { taskId: "echo", status: 401, code: "UNAUTHORIZED", bytesIn: 0 },
      { taskId: "echo", status: 402, code: "INTERNAL_ERROR", errorId: "shop.errors.declined" },
      { taskId: "nowhere", code: "FORBIDDEN" },
      { status: 404, code: "NOT_FOUND" },
      { taskId: "echo", status: 400, code: "INVALID_JSON", bytesIn: 1 },
    ]);
  });

  it("ends with the last byte of a reply that streams, or with its reader's leaving", async () => {
    await using edge = await start();
    using requests = listen("runner:request");

    const whole = await edge.post("task/counted");
    expect(ended(requests)).toEqual([]);
    await whole.text();
    const left = await edge.post("task/counted");
    await left.body?.cancel();
    const own = await edge.post("task/replies");
    await own.text();
    await nextTurn();

    expect(ended(requests)).toMatchObject([
      { status: 200, bytesOut: 5 },
      { status: 200, code: "INCOMPLETE_REPLY", bytesOut: 0 },
      { status: 203, bytesOut: 3 },
    ]);
  });

  it("has status 499 where the caller left before the reply", async () => {
    const started = createDeferred();
    const hang = r
      .task("hang")
      .run(async (_input: void, _dependencies, { signal }) => {
        started.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      })
      .build();
    await using edge = await start({}, hang);
    using requests = listen("runner:request");
    const leaving = new AbortController();

    const reply = edge.post("task/hang", "{}", {}, { signal: leaving.signal });
    await started.promise;
    leaving.abort();
    await reply;

    expect(ended(requests)).toMatchObject([{ taskId: "hang", status: 499, code: "REQUEST_ABORTED" }]);
  });

  it("counts the bytes of a form", async () => {
    await using edge = await start();
    using requests = listen("runner:request");
    const form = formOf(manifestPart({ input: 7 }));

    await edge.post("task/echo", form, formHeaders);

    expect(ended(requests)).toMatchObject([{ taskId: "echo", status: 200, bytesIn: form.byteLength }]);
  });

  it("gives the task the trace that a listener makes", async () => {
    const found: unknown[] = [];
    const traced = r
      .task("traced")
      .run(async () => 1)
      .build();
    await using edge = await start({}, traced);
    const trace = { traceId: "a".repeat(32), spanId: "b".repeat(16), flags: "01" };
    using requests = listen("runner:request", (message) => {
      found.push(message.trace);
      message.trace = trace;
    });
    using tasks = listen("runner:task");

    await edge.post("task/traced", "{}", { traceparent: `00-${"c".repeat(32)}-${"d".repeat(16)}-01` });

    expect(requests.seen).toHaveLength(4);
    expect(found).toEqual([{ traceId: "c".repeat(32), spanId: "d".repeat(16), flags: "01" }]);
    expect(tasks.messages()[0]?.trace).toEqual(trace);
  });
});

describe("http.metrics of a fetch edge", () => {
  it("answers callers that authenticate, and no one else", async () => {
    await using edge = await start({ metrics: "/metrics" });
    await (await edge.post("task/echo")).text();

    const reply = await edge.get("/metrics", { "x-runner-token": token });
    const { value } = parseMetrics(await reply.text());

    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(value("runner_requests_total", { kind: "task", id: "echo", code: "OK" })).toBe(1);
    expect((await edge.get("/metrics")).status).toBe(401);
    expect((await edge.get("/metrics", { "x-runner-token": "wrong" })).status).toBe(401);
  });

  it("is off by default, and refuses what is neither GET nor HEAD", async () => {
    await using without = await start();
    await using edge = await start({ metrics: "/__runner/metrics" });

    expect((await without.get("/metrics", { "x-runner-token": token })).status).toBe(404);
    const post = await edge.post("metrics");
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("refuses a path where calls arrive", () => {
    expect(() => fetchExposure.with({ http: { metrics: "/__runner/discovery" } })).toThrow(
      'http.metrics must not be "/__runner/discovery", where calls arrive.',
    );
  });
});
