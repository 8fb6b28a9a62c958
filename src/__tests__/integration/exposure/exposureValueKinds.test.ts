import { PassThrough } from "node:stream";
import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  r,
} from "../../../node/index";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";

/** What cannot cross between processes as a value, and what does not cross with an error. */

const kinds: Record<string, () => unknown> = {
  Promise: () => Promise.resolve(1),
  FormData: () => new FormData(),
  Headers: () => new Headers(),
  SharedArrayBuffer: () => new SharedArrayBuffer(1),
  WeakMap: () => new WeakMap(),
  "Array Iterator": () => [1].values(),
  Generator: () => (function* () {})(),
  AsyncGenerator: () => (async function* () {})(),
  function: () => () => 1,
};
const carried: Record<string, () => unknown> = {
  Blob: () => new Blob(["a"]),
  File: () => new File(["a"], "a"),
  Request: () => new Request("http://localhost"),
  Response: () => new Response("a"),
  PassThrough: () => new PassThrough(),
  ReadableStream: () => new ReadableStream(),
};
const everyKind = { ...kinds, ...carried };
const kindInText: Record<string, string> = { PassThrough: "Stream" };

const unwritable = r
  .error<{ job: unknown }>("app.errors.unwritable")
  .format(() => "failed")
  .build();
const failed = r
  .error<{ reason: Error }>("app.errors.failed")
  .format(() => "failed")
  .build();
const theme = r.asyncContext<unknown>("theme").build();

const nested = r
  .task("nested")
  .run(async (kind: string) => ({ report: { items: [1, everyKind[kind]?.()] } }))
  .build();
const throws = r
  .task("throws")
  .run(async (kind: string) => unwritable.throw({ job: everyKind[kind]?.() }))
  .build();
const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const noted = r.event<unknown>("noted").build();

/** An error as an application makes it, with others inside. */
const makeErrors = (): Record<string, unknown> => ({
  cause: new Error("outer", { cause: new TypeError("inner") }),
  several: new AggregateError([new RangeError("one")], "many"),
  fields: Object.assign(new (class AppError extends Error {})("app"), { nested: [new Error("field")] }),
  map: new Map([["k", new Set([new Error("deep")])]]),
});
const settle = r
  .task("settle")
  .run(async () => ({ settled: await Promise.allSettled([Promise.reject(new Error("lost"))]), ...makeErrors() }))
  .build();
const fail = r
  .task("fail")
  .run(async () => failed.throw({ reason: new Error("why", { cause: new Error("because") }) }))
  .build();
const asked = r.event<{ errors?: unknown }>("asked").build();
const answering = r
  .hook("answering")
  .on(asked)
  .run(async ({ data }) => void (data.errors = makeErrors()))
  .build();

let exposure: TestExposure;
beforeAll(async () => {
  exposure = await startExposure([nested, throws, echo, noted, settle, fail, asked], {}, [
    unwritable,
    failed,
    theme,
    answering,
  ]);
});
afterAll(() => exposure.app.dispose());

const clients = {
  universal: createHttpClient,
  exposureFetch: createExposureFetch,
  smart: createHttpSmartClient,
  mixed: createHttpMixedClient,
};

describe.each(Object.entries(clients))("a value that %s cannot carry", (name, create) => {
  it.each(Object.entries(everyKind))(
    `a value that cannot be carried is refused by ${name} with its kind and place in an input and a payload: %s`,
    async (kind, make) => {
      await using client = create({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });

      const input = await rejectionOf(client.task("echo", { report: { items: [1, 2, 3, make()] } }));
      const payload = await rejectionOf(client.event("noted", [{ value: make() }]));

      expect(input).toBeInstanceOf(TypeError);
      expect(input.message).toContain(kind);
      expect(input.message).toContain("at input.report.items[3]");
      expect(payload.message).toContain(kind);
      expect(payload.message).toContain("at payload[0].value");
    },
  );
});

describe("a value that an exposure cannot carry", () => {
  it.each(Object.keys(everyKind))(
    "a value that an exposure cannot carry fails the call, and the log has its kind and place: %s",
    async (kind) => {
      const logged = exposure.logs.length;

      const reply = await exposure.post("/__runner/task/nested", JSON.stringify({ input: kind }));

      expect([reply.status, (await reply.text()).includes("Internal Error")]).toEqual([500, true]);
      expect(exposure.logs.slice(logged).map(({ data }) => data?.["error"])).toEqual([
        `Cannot serialize value of type "${kindInText[kind] ?? kind}"\n  at result.report.items[1]`,
      ]);
    },
  );

  it("a value that an exposure cannot carry is left out of an error's data, with a line in the log", async () => {
    const logged = exposure.logs.length;

    const reply = await exposure.post("/__runner/task/throws", '{"input":"Promise"}');

    expect(await reply.json()).toEqual({
      ok: false,
      error: { message: "failed", code: "INTERNAL_ERROR", id: "app.errors.unwritable" },
    });
    expect(exposure.logs.slice(logged).map(({ data }) => String(data?.["error"]))).toContain(
      'Cannot serialize value of type "Promise"\n  at error.data.job',
    );
  });
});

it("boxed primitives, instances and files travel as before, or as the primitive", async () => {
  await using client = createHttpSmartClient({
    baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
    auth: { token },
  });
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("abc") });
  class Point {
    x = 1;
  }

  const result = await client.task<unknown, unknown>("echo", { boxed: Object("text"), point: new Point() });
  const upload = await client.task<unknown, { name?: string }>("echo", file);

  expect(result).toEqual({ boxed: "text", point: { x: 1 } });
  expect(upload).toMatchObject({ name: "a.txt" });
});

describe("the stack of an error inside a value", () => {
  it.each([
    ["a result", "task/settle", "{}"],
    ["the data of a declared error", "task/fail", "{}"],
    ["a payload that is sent back", "event/asked", '{"payload":{},"returnPayload":true}'],
  ])("the stack of an error inside a value is not sent by an exposure: in %s", async (_where, path, body) => {
    const text = await (await exposure.post(`/__runner/${path}`, body)).text();

    expect(text).toContain('"__type":"Error"');
    expect(text).not.toMatch(/"stack"|\.test\.ts|node:internal|file:\/\//);
  });

  it("the stack of an error inside a value is not sent with a context", async () => {
    const text = theme.serialize({ last: new Error("lost") });

    expect(text).toContain('"message":"lost"');
    expect(text).not.toContain('"stack"');
  });

  it("the stack of an error inside a value stays inside the process", async () => {
    const result = await exposure.app.runTask(settle);

    expect((result.settled[0] as PromiseRejectedResult).reason).toMatchObject({
      stack: expect.stringContaining("exposureValueKinds") as string,
    });
  });
});
