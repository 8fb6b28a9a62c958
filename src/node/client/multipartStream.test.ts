import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { rejectionOf } from "../../__tests__/support/failures";
import type { WireFile } from "../../tunnels/protocol/wire";
import { boundaryOf, multipartStream, newFormContentType } from "./multipartStream";

const file = (source: WireFile["source"], meta: Partial<WireFile["meta"]> = {}, id = "A"): WireFile => ({
  id,
  meta: { name: "a.txt", ...meta },
  source,
});
const write = (...files: WireFile[]) => multipartStream({ kind: "form", manifest: '{"input":1}', files }, "B");
const bytes = (content: string) => ({ bytes: new TextEncoder().encode(content) });

it("a multipart stream writes the manifest first, then the files in order, to the byte", async () => {
  const { stream } = write(
    file(bytes("one"), { type: "text/plain" }, "A"),
    file({ blob: new Blob(["two"], { type: "image/png" }) }, { name: "b", type: "text/plain" }, "B"),
    file({ stream: Readable.from(["th", Buffer.from("ree")]) }, { name: "" }, "C"),
  );

  expect(await text(stream)).toBe(
    [
      '--B\r\nContent-Disposition: form-data; name="__manifest"\r\n\r\n{"input":1}\r\n',
      '--B\r\nContent-Disposition: form-data; name="file:A"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\none\r\n',
      '--B\r\nContent-Disposition: form-data; name="file:B"; filename="b"\r\nContent-Type: image/png\r\n\r\ntwo\r\n',
      '--B\r\nContent-Disposition: form-data; name="file:C"; filename="upload"\r\n',
      "Content-Type: application/octet-stream\r\n\r\nthree\r\n--B--\r\n",
    ].join(""),
  );
});

it.each([
  ["quotes", 'a"b', 'filename="a\\"b"'],
  ["a backslash that would hide the closing quote", "a\\", 'filename="a\\\\"'],
  ["line breaks", "a\r\nX-Evil: 1\r\n\r\n", 'filename="a%0D%0AX-Evil: 1%0D%0A%0D%0A"'],
  ["a zero byte", "a\0b", 'filename="a%00b"'],
  ["text beyond ASCII", "naïve 😀.txt", 'filename="naïve 😀.txt"'],
])("a multipart stream keeps a name on its line: %s", async (_what, name, expected) => {
  const body = await text(write(file(bytes(""), { name, type: "x/y\r\nX-Evil: 2" }, 'i"\r\nd')).stream);

  expect(body).toContain(`name="file:i\\"%0D%0Ad"; ${expected}\r\nContent-Type: x/y%0D%0AX-Evil: 2\r\n\r\n`);
});

it("a multipart stream knows its length unless a stream is among the files", async () => {
  const known = write(file(bytes("é"), { name: "é" }), file({ blob: new Blob(["12"]) }, {}, "B"));

  expect(known.totalBytes).toBe(Buffer.byteLength(await text(known.stream)));
  expect(write(file({ stream: Readable.from([]) })).totalBytes).toBeUndefined();
});

it.each([
  ["Node's", (content: string) => Readable.from([content])],
  ["the web's", (content: string) => new Blob([content]).stream()],
  [
    "a generator",
    async function* (content: string) {
      yield* content;
    },
  ],
])("a multipart stream takes streams of every kind: %s", async (_kind, make) => {
  const body = await text(write(file({ stream: make("content") as AsyncIterable<Uint8Array> })).stream);

  expect(body).toContain("\r\n\r\ncontent\r\n");
});

it("a multipart stream pulls no more than its reader takes", async () => {
  let pulled = 0;
  const endless = (async function* () {
    for (;;) {
      pulled += 1;
      yield await Promise.resolve(new Uint8Array(65_536));
    }
  })();
  const { stream } = write(file({ stream: endless }));

  const reader = stream[Symbol.asyncIterator]();
  for (let piece = 0; piece < 5; piece++) await reader.next();

  expect(pulled).toBeLessThan(20);
  stream.destroy();
});

it("a multipart stream fails with a file that is not due yet, and closes the others", async () => {
  const first = new PassThrough();
  const second = new PassThrough();
  const { stream } = write(file({ stream: first }), file({ stream: second }, {}, "B"));

  const read = rejectionOf(text(stream));
  second.destroy(new Error("second broke"));

  expect((await read).message).toBe("second broke");
  expect(first.destroyed).toBe(true);
});

it("a multipart stream fails with a file that had failed before", async () => {
  const broken = new PassThrough();
  broken.on("error", () => {});
  broken.destroy(new Error("broke before"));
  await new Promise((resolve) => broken.once("close", resolve));

  const { stream } = write(file({ stream: broken }));

  expect((await rejectionOf(text(stream))).message).toBe("broke before");
});

it("a multipart stream closes its files when it is aborted, even while one of them keeps it waiting", async () => {
  const silent = new PassThrough();
  const { stream } = write(file({ stream: silent }), file({ stream: new PassThrough() }, {}, "B"));
  stream.resume();

  stream.destroy();
  await new Promise((resolve) => stream.once("close", resolve));

  expect(silent.destroyed).toBe(true);
});

it("a multipart stream reads the boundary it wrote, and any other", () => {
  expect(boundaryOf(newFormContentType())).toMatch(/^runner-[a-z0-9]+-[a-z0-9]+$/);
  expect(newFormContentType()).not.toBe(newFormContentType());
  expect(boundaryOf('multipart/form-data; charset=utf-8; Boundary="a b"; x=y')).toBe("a b");
  expect(boundaryOf(undefined)).toBeUndefined();
});
