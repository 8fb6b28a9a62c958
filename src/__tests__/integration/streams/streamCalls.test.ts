import { Readable } from "node:stream";
import { createHttpMixedClient, createNodeFile, r, type InputFile } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { startExposure, token, type TestExposure } from "../../support/exposure";
import { stopTime } from "../../support/stopTime";
import { collect } from "./streamDefinitions";

const clientOf = ({ port }: TestExposure) =>
  createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}/__runner`, auth: { token } });

/** Nothing comes of it until it is aborted. */
const silent = r
  .task("app.silent")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield "late";
  })
  .build();

describe("the time limit of a call whose task streams", () => {
  it("a time limit ends a stream that has no head yet", async () => {
    await using exposure = await startExposure([silent]);
    await using client = clientOf(exposure);

    await expect(collect(client.stream(silent, undefined, { timeoutMs: 50 }))).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it("a time limit does not end a stream whose head has come", async () => {
    const goOn = createDeferred();
    const slow = r
      .task("app.slow")
      .stream(async function* () {
        yield 1;
        await goOn.promise;
        yield 2;
      })
      .build();
    await using exposure = await startExposure([slow]);
    await using client = clientOf(exposure);
    using time = stopTime();

    const items = client.stream(slow, undefined, { timeoutMs: 200 })[Symbol.asyncIterator]();
    const first = await items.next();
    time.advance(200);
    goOn.resolve();

    expect([first, await items.next(), await items.next()]).toMatchObject([{ value: 1 }, { value: 2 }, { done: true }]);
  });
});

describe("files in the input of a streamed task", () => {
  const sizes = r
    .task("app.sizes")
    .stream(async function* ({ files }: { files: readonly InputFile<Readable>[] }) {
      let total = 0;
      for (const file of files) {
        let bytes = 0;
        for await (const chunk of (await file.resolve()).stream) bytes += (chunk as Buffer).length;
        total += bytes;
        yield { name: file.name, bytes };
      }
      return { total };
    })
    .build();
  const fileOf = (name: string, bytes: number) =>
    createNodeFile({ name }, { stream: Readable.from([Buffer.alloc(bytes)]) }, name);

  it("files that come with a call are read while items leave", async () => {
    await using exposure = await startExposure([sizes]);
    await using client = clientOf(exposure);

    const stream = client.stream(sizes, { files: [fileOf("a", 10), fileOf("b", 300_000)] });

    await expect(collect(stream)).resolves.toEqual([
      { name: "a", bytes: 10 },
      { name: "b", bytes: 300_000 },
    ]);
    await expect(stream.result).resolves.toEqual({ total: 300_010 });
  });

  it("a form that is refused is a failure before the first item", async () => {
    await using exposure = await startExposure([sizes], { limits: { multipart: { fileSize: 1000 } } });
    await using client = clientOf(exposure);

    await expect(collect(client.stream(sizes, { files: [fileOf("a", 300_000)] }))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });
});

it("a body that goes on 5 seconds after its caller left is logged, with the id of its task", async () => {
  let release = (): void => {};
  const isLeft = new Promise<void>((resolve) => (release = resolve));
  let reached = (): void => {};
  const isAborted = new Promise<void>((resolve) => (reached = resolve));
  const deaf = r
    .task("app.deaf")
    .stream(async function* (_input: undefined, _dependencies, { signal }) {
      signal.addEventListener("abort", () => reached());
      yield 1;
      await isLeft;
    })
    .build();
  await using exposure = await startExposure([deaf]);
  await using client = clientOf(exposure);
  const items = client.stream(deaf)[Symbol.asyncIterator]();
  await items.next();
  using time = stopTime();
  try {
    void items.next().catch(() => {});
    await items.return();
    await isAborted;
    await new Promise(setImmediate);
    time.advance(4999);
    await new Promise(setImmediate);
    expect(exposure.logs.filter(isOfDeaf)).toEqual([]);

    time.advance(1);
    while (!exposure.logs.some(isOfDeaf)) await new Promise(setImmediate);
  } finally {
    release();
  }
});

const isOfDeaf = ({ message, error }: { message?: unknown; error?: unknown }): boolean =>
  `${String(message)} ${JSON.stringify(error)}`.includes("app.deaf") &&
  JSON.stringify(error).includes("after its stream was given up");
