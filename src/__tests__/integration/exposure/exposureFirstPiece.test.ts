import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { r, respondStream } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { filePart, formHeaders, formOf, manifestPart, rawPost, sentinel, startExposure } from "../../support/exposure";
import { soon } from "../../support/soon";
import { watchUncaught } from "../../support/watchUncaught";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

const gone = r.error<{ row: number }>("test.gone").build();
const opaque = '{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}';
const limits = { closeMs: 50 };

type Failing = (error: Error) => unknown;
const failing: [string, Failing][] = [
  [
    "a generator",
    (error) =>
      (async function* generate() {
        await delay(1);
        if (Date.now() > 0) throw error;
        yield "never";
      })(),
  ],
  ["a readable that is destroyed", (error) => new Readable({ read: () => {} }).destroy(error)],
  [
    "a readable that fails when it is read",
    (error) =>
      new Readable({
        read() {
          setImmediate(() => this.destroy(error));
        },
      }),
  ],
  ["a web stream", (error) => new ReadableStream({ pull: (controller) => controller.error(error) })],
];

describe("A streamed result that fails before its first byte", () => {
  it.each(failing)(
    "A streamed result that fails before its first byte is answered with its typed error: %s",
    async (_kind, fail) => {
      const rows = task("rows", () => fail(gone.create({ row: 7 })));
      await using exposure = await startExposure([rows], { limits }, [gone]);

      const reply = await soon(exposure.post("/__runner/task/rows"));

      expect([reply.status, await reply.json()]).toMatchObject([500, { error: { id: "test.gone", data: { row: 7 } } }]);
    },
  );

  it.each(failing)(
    "A streamed result that fails before its first byte is answered with its typed error, a head of its own notwithstanding: %s",
    async (_kind, fail) => {
      const head = { status: 206, contentType: "text/csv", headers: { "content-length": "30", "x-own": "1" } };
      const rows = task("rows", () => ({ stream: fail(gone.create({ row: 7 })), ...head }));
      await using exposure = await startExposure([rows], { limits }, [gone]);

      const reply = await soon(exposure.post("/__runner/task/rows"));

      expect([reply.status, reply.headers.get("x-own"), await reply.json()]).toMatchObject([
        500,
        null,
        { error: { id: "test.gone" } },
      ]);
    },
  );

  it.each(failing)(
    "A streamed result that fails before its first byte is an opaque error, and is logged, where its error is not registered: %s",
    async (_kind, fail) => {
      const rows = task("rows", () => fail(new Error("secret")));
      await using exposure = await startExposure([rows], { limits });

      const reply = await soon(exposure.post("/__runner/task/rows"));

      expect([reply.status, await reply.text()]).toEqual([500, opaque]);
      expect(exposure.logs.filter(({ message }) => message === "exposure.task.error")).toHaveLength(1);
    },
  );

  it.each<[string, () => unknown]>([
    ["a file that is not there", () => createReadStream("/no/such/file")],
    ["a readable that was destroyed without an error", () => new Readable({ read() {} }).destroy()],
    ["a readable that was read before", async () => consumed()],
    [
      "a generator that throws null",
      () =>
        (async function* generate() {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is tested
          if (Date.now() > 0) throw null;
          yield "never";
        })(),
    ],
  ])("A streamed result that fails before its first byte is an opaque error: %s", async (_kind, make) => {
    using calm = watchUncaught();
    await using exposure = await startExposure([task("rows", make)], { limits });

    const reply = await soon(exposure.post("/__runner/task/rows"));

    expect([reply.status, await reply.text()]).toEqual([500, opaque]);
    expect(calm.seen).toEqual([]);
  });

  it("A streamed result that fails before its first byte is an opaque error where the task responded with it, and is logged", async () => {
    const rows = task("rows", () => respondStream(createReadStream("/no/such/file")));
    await using exposure = await startExposure([rows], { limits });

    const reply = await soon(exposure.post("/__runner/task/rows"));

    expect([reply.status, await reply.text()]).toEqual([500, opaque]);
    expect(exposure.logs.filter(({ message }) => message === "exposure.http.broken")).toHaveLength(1);
  });

  it("A streamed result that fails before its first byte says what is wrong with the form that it is made from", async () => {
    const echo = r
      .task("echo")
      .run(async ({ file }: { file: { stream(): Readable } }) => file.stream())
      .build();
    await using exposure = await startExposure([echo], { limits: { ...limits, multipart: { fileSize: 1 } } });
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "xx"));

    const reply = await soon(exposure.post("/__runner/task/echo", form, formHeaders));

    expect([reply.status, await reply.json()]).toMatchObject([413, { error: { message: "File size limit exceeded" } }]);
  });

  it("A streamed result that fails before its first byte is released, and its place given back, when its caller leaves", async () => {
    const [opened, released] = [createDeferred(), createDeferred()];
    const silent = task("silent", () => {
      opened.resolve();
      return new Readable({ read() {}, destroy: (error, done) => void (released.resolve(), done(error)) });
    });
    const hello = task("hello", () => "hello");
    await using exposure = await startExposure([silent, hello], { limits: { ...limits, inFlight: 1 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/silent", "{}"));
    await soon(opened.promise);

    connection.socket.destroy();
    await soon(released.promise);
    await new Promise(setImmediate);

    expect((await exposure.post("/__runner/task/hello")).status).toBe(200);
  });
});

describe("The head of a streamed reply", () => {
  /** A stream that says nothing until it is told to. */
  function slowStream() {
    const go = createDeferred();
    const generate = async function* generate() {
      await go.promise;
      yield "late";
    };
    return { go, stream: generate() };
  }

  it.each<[string, object]>([
    ["is asked to be sent at once", { flushHeaders: true }],
    ["belongs to an event stream", { contentType: "text/event-stream; charset=utf-8" }],
    ["belongs to an event stream by its headers", { headers: { "Content-Type": "text/event-stream" } }],
  ])("The head of a streamed reply does not wait for the first byte where it %s", async (_why, head) => {
    const { go, stream } = slowStream();
    await using exposure = await startExposure([task("slow", () => ({ stream, ...head }))], { limits });

    const reply = await soon(exposure.post("/__runner/task/slow"));
    go.resolve();

    expect([reply.status, await reply.text()]).toEqual([200, "late"]);
  });

  it("The head of a streamed reply does not wait for bytes either where the first piece is empty", async () => {
    const go = createDeferred();
    const stream = (async function* generate() {
      yield "";
      await go.promise;
      yield "late";
    })();
    await using exposure = await startExposure([task("slow", () => stream)], { limits });

    const reply = await soon(exposure.post("/__runner/task/slow"));
    go.resolve();

    expect([reply.status, await reply.text()]).toEqual([200, "late"]);
  });

  it("The head of a streamed reply does not go with the first byte of an event stream that is asked to wait", async () => {
    const head = { contentType: "text/event-stream", flushHeaders: false };
    const events = task("events", () => ({ stream: new Readable({ read() {} }).destroy(new Error("early")), ...head }));
    await using exposure = await startExposure([events], { limits });

    expect((await soon(exposure.post("/__runner/task/events"))).status).toBe(500);
  });
});

describe("A streamed result of things that are no bytes", () => {
  const rows = (...pieces: unknown[]) =>
    (async function* generate() {
      yield* pieces;
    })();

  it.each<[string, () => unknown, string]>([
    ["objects of a generator", () => rows({ a: 1 }), "an object"],
    ["arrays", () => rows([1]), "an array"],
    ["numbers", () => rows(1), "a number"],
    ["null", () => rows(null), "null"],
    ["dates with a head", () => ({ stream: rows(new Date(0)), status: 201 }), "a Date"],
    ["objects of a readable", () => Readable.from([{ a: 1 }]), "an object"],
    ["objects of a web stream", () => new ReadableStream({ start: (c) => c.enqueue({ a: 1 }) }), "an object"],
    ["objects that a task responds with", () => respondStream(Readable.from([{}])), "an object"],
  ])(
    "A streamed result of things that are no bytes is refused with the task's name before anything is sent, and logged: %s",
    async (_what, make, kind) => {
      using calm = watchUncaught();
      await using exposure = await startExposure([task("app.rows", make)], { limits });

      const reply = await soon(exposure.post("/__runner/task/app.rows"));

      const message = `Task app.rows yielded ${kind}; a streamed result may yield bytes or text, such as JSON.stringify(item) + "\\n".`;
      expect([reply.status, await reply.json()]).toEqual([
        500,
        { ok: false, error: { message, code: "UNSTREAMABLE_RESULT" } },
      ]);
      expect(
        exposure.logs.filter(({ data }) => (data as { error?: string } | undefined)?.error === message),
      ).toHaveLength(1);
      expect(calm.seen).toEqual([]);
    },
  );

  it.each<[string, () => unknown]>([
    ["a generator", () => rows("a", "b", { c: 1 })],
    ["a readable", () => Readable.from(["a", "b", { c: 1 }])],
  ])(
    "A streamed result of things that are no bytes cuts the reply and is logged with the task's name where it comes later: %s",
    async (_what, make) => {
      using calm = watchUncaught();
      await using exposure = await startExposure([task("app.rows", make)], { limits });

      const error = await rejectionOf(soon(exposure.post("/__runner/task/app.rows").then((reply) => reply.text())));

      expect(error.message).toMatch(/^(fetch failed|terminated)$/);
      const [broken] = exposure.logs.filter(({ message }) => message === "exposure.http.broken");
      expect(broken?.data).toMatchObject({ error: expect.stringContaining("Task app.rows yielded an object") });
      expect(calm.seen).toEqual([]);
    },
  );

  it.each<[string, unknown]>([
    ["text and bytes", rows("a", Buffer.from("b"), new Uint8Array([99]))],
    ["other views and buffers", rows(new Uint8Array([97, 98]).buffer, new DataView(new Uint8Array([99]).buffer))],
  ])("A streamed result of things that are no bytes does not mean one of %s", async (_what, stream) => {
    await using exposure = await startExposure([task("text", () => stream)], { limits });

    expect(await (await exposure.post("/__runner/task/text")).text()).toBe("abc");
  });
});

async function consumed(): Promise<Readable> {
  const stream = Readable.from(["x"]);
  for await (const chunk of stream) void chunk;
  return stream;
}
