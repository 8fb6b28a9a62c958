import { Readable } from "node:stream";
import { r, respondStream } from "../../../node/index";
import { rawPost, startExposure } from "../../support/exposure";
import { soon } from "../../support/soon";
import { watchUncaught } from "../../support/watchUncaught";

const limits = { closeMs: 50 };

const pieces = (...texts: string[]) =>
  (async function* generate() {
    yield* texts;
  })();

const sources: [string, (...texts: string[]) => unknown][] = [
  ["a generator", pieces],
  ["a readable of bytes", (...texts) => Readable.from(texts, { objectMode: false })],
  ["a readable of objects", (...texts) => Readable.from(texts)],
  ["a web stream", (...texts) => new Blob(texts).stream()],
];

const task = (body: () => unknown) =>
  r
    .task("sized")
    .run(async (): Promise<unknown> => body())
    .build();

/** What a call receives until the server closes the connection. */
async function receivedOf(body: () => unknown, http = {}): Promise<{ text: string; broken: unknown[] }> {
  using calm = watchUncaught();
  await using exposure = await startExposure([task(body)], { limits, ...http });
  const connection = exposure.connect();
  connection.write(rawPost("/__runner/task/sized", "{}", ["Connection: close", "Accept-Encoding: gzip"]));
  const text = await soon(connection.closed);
  expect(calm.seen).toEqual([]);
  return { text, broken: exposure.logs.filter(({ message }) => /broken|task\.error/.test(String(message))) };
}

const bodyOf = (text: string): string => text.slice(text.indexOf("\r\n\r\n") + 4);
const sized = (stream: unknown, length: unknown) => ({ stream, headers: { "Content-Length": length } });

describe("A stream that declares its length", () => {
  it.each(sources)("A stream that declares its length is sent as declared: %s", async (_kind, make) => {
    const { text, broken } = await receivedOf(() => sized(make("ab", "cde"), 5));

    expect(text).toMatch(/content-length: 5\r\n/i);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect([bodyOf(text), broken]).toEqual(["abcde", []]);
  });

  it.each(sources)(
    "A stream that declares its length and is shorter cuts the reply at once: %s",
    async (_kind, make) => {
      const { text, broken } = await receivedOf(() => sized(make("ab", "cde"), "30"));

      expect(text).toMatch(/content-length: 30\r\n/i);
      expect("abcde").toContain(bodyOf(text));
      expect(broken).toHaveLength(1);
    },
  );

  it.each(sources.filter(([kind]) => kind !== "a web stream"))(
    "A stream that declares its length and is longer never sends a byte beyond it: %s",
    async (_kind, make) => {
      const { text, broken } = await receivedOf(() => sized(make("ab", "cde", "f"), "5"));

      expect(text).toMatch(/content-length: 5\r\n/i);
      expect("abcde").toContain(bodyOf(text));
      expect(broken).toHaveLength(1);
    },
  );

  it.each<[string, unknown, unknown]>([
    ["is longer in its first piece", pieces("abcdef"), "5"],
    ["has nothing to send", pieces(), "5"],
    ["declares no number", pieces("a"), "many"],
    ["declares a negative one", pieces("a"), "-1"],
    ["declares two", pieces("a"), ["1", "2"]],
  ])(
    "A stream that declares its length is an internal error before anything is sent where it %s",
    async (_what, stream, length) => {
      const { text, broken } = await receivedOf(() => sized(stream, length));

      expect(text).toMatch(/^HTTP\/1.1 500 /);
      expect(bodyOf(text)).toContain("INTERNAL_ERROR");
      expect(broken).toHaveLength(1);
    },
  );

  it("A stream that declares its length and responds by itself is held to it as well", async () => {
    const { text, broken } = await receivedOf(() => respondStream(sized(Readable.from(["ab", "cde"]), "4") as never));

    expect(text).toMatch(/content-length: 4\r\n/i);
    expect("ab").toContain(bodyOf(text));
    expect(broken).toHaveLength(1);
  });

  it("A stream that declares its length is held to it where the reply is compressed and has another length", async () => {
    const { text, broken } = await receivedOf(() => sized(pieces("ab", "cde"), "4"), {
      compression: { responses: true },
    });

    expect(text).toMatch(/content-encoding: gzip\r\n/i);
    expect(text).not.toMatch(/content-length/i);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(broken).toHaveLength(1);
  });
});

describe("A stream that ends badly cuts its reply", () => {
  const begun = (end: (stream: Readable) => void) => () => {
    const stream = new Readable({ read() {} });
    stream.push("ab");
    setImmediate(() => setImmediate(() => end(stream)));
    return stream;
  };
  const failing = (error: unknown) => () =>
    (async function* generate() {
      yield "ab";
      await new Promise(setImmediate);
      throw error;
    })();

  it.each<[string, () => unknown]>([
    ["destroyed without an error", begun((stream) => stream.destroy())],
    ["with an error", begun((stream) => stream.destroy(new Error("broke")))],
    ["with an error event of null", begun((stream) => stream.emit("error", null))],
    ["with an error event of nothing", begun((stream) => stream.emit("error"))],
    ["with a close event alone", begun((stream) => stream.emit("close"))],
    ["a generator that throws null", failing(null)],
    ["a generator that throws undefined", failing(undefined)],
    ["a generator that throws text", failing("text")],
    [
      "a web stream with an error of null",
      () =>
        new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from("ab")),
          pull: (controller) => controller.error(null),
        }),
    ],
  ])("A stream that ends badly cuts its reply however it does: %s", async (_how, make) => {
    const { text, broken } = await receivedOf(make);

    expect(text).toMatch(/^HTTP\/1.1 (200|500) /);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(broken).toHaveLength(1);
  });
});
