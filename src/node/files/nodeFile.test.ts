import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { rejectionOf } from "../../__tests__/support/failures";
import { r, run } from "../../index";
import type { InputFile } from "../../platform/inputFile";
import { createNodeFile } from "./createNodeFile";
import { readInputFileToBuffer, toPassThrough, writeInputFileToPath } from "./nodeFile";
import { NodeInputFile } from "./nodeInputFile";

const fileOf = (stream: Readable) =>
  ({ name: "a", resolve: async () => ({ stream }), stream: () => stream }) as InputFile<Readable>;

it("createNodeFile writes the sentinel with its sidecar last, and F1 as id", () => {
  const source = { buffer: Buffer.from("x") };
  const meta = { name: "a" };

  expect(Object.entries(createNodeFile(meta, source))).toEqual([
    ["$runnerFile", "File"],
    ["id", "F1"],
    ["meta", meta],
    ["_node", source],
  ]);
  expect(createNodeFile(meta, source, "A").id).toBe("A");
});

it.each([
  ["a buffer", () => createNodeFile({ name: "a.txt", type: "text/plain" }, { buffer: Buffer.from("report") })],
  ["a stream", () => createNodeFile({ name: "a.txt", type: "text/plain" }, { stream: Readable.from(["rep", "ort"]) })],
  ["a generator", () => createNodeFile({ name: "a.txt", type: "text/plain" }, { stream: pieces() })],
])("a task of this process reads a file made from %s as one that came with a call", async (_source, makeFile) => {
  const upload = r
    .task("upload")
    .run(async ({ report }: { report: InputFile<Readable> }) => [
      report.name,
      report.type,
      (await readInputFileToBuffer(report)).toString(),
    ])
    .build();
  const app = r.resource("app").register([upload]).build();
  await using running = await run(app, { shutdownHooks: false, errorBoundary: false });

  expect(await running.runTask(upload, { report: makeFile() })).toEqual(["a.txt", "text/plain", "report"]);
});

it("a file for an input can be read once, by one of the methods, and saved to disk", async () => {
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("report") });

  const { path, bytesWritten } = await file.toTempFile();

  expect(bytesWritten).toBe(6);
  expect(await readFile(path, "utf8")).toBe("report");
  await rm(path);
  expect(() => file.stream()).toThrow("InputFile stream already consumed");
  expect(await rejectionOf(file.resolve())).toMatchObject({ message: "InputFile stream already consumed" });
});

async function* pieces() {
  yield "rep";
  yield "ort";
}

describe("readInputFileToBuffer", () => {
  it("readInputFileToBuffer joins bytes, text and whatever else a stream holds", async () => {
    const stream = Readable.from([Buffer.from("a"), "é", 5, new Uint8Array([98])]);

    expect((await readInputFileToBuffer(fileOf(stream))).toString()).toBe("aé5b");
  });

  it("readInputFileToBuffer rejects with the stream's own error", async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error("broke"));
      },
    });

    expect((await rejectionOf(readInputFileToBuffer(fileOf(broken)))).message).toBe("broke");
  });
});

describe("writeInputFileToPath", () => {
  it("writeInputFileToPath makes directories, replaces what is there and counts bytes", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runner-file-"));
    try {
      const path = join(directory, "deep/er/file.txt");
      await writeInputFileToPath(fileOf(Readable.from(["something longer"])), path);

      expect(await writeInputFileToPath(fileOf(Readable.from(["é", "b"])), path)).toEqual({ bytesWritten: 3 });
      expect(await readFile(path, "utf8")).toBe("éb");
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("writeInputFileToPath rejects for a path that cannot be written, and closes the stream", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runner-file-"));
    try {
      await writeFile(join(directory, "file"), "");
      const stream = new PassThrough();

      const error = await rejectionOf(writeInputFileToPath(fileOf(stream), join(directory, "file/below")));

      expect(error).toMatchObject({ code: "EEXIST" });
      expect(stream.destroyed).toBe(true);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("toPassThrough", () => {
  it("toPassThrough gives another stream with the same content", async () => {
    const stream = Readable.from(["ab"]);

    const through = toPassThrough(stream);

    expect(through).not.toBe(stream);
    expect(await text(through)).toBe("ab");
  });

  it("toPassThrough fails as its source does", async () => {
    const source = new PassThrough();
    const read = rejectionOf(text(toPassThrough(source)));
    source.destroy(new Error("broke"));

    expect((await read).message).toBe("broke");
  });
});

it.each([
  ["toTempFile", (file: NodeInputFile, dir: string): Promise<unknown> => file.toTempFile(dir)],
  [
    "writeInputFileToPath",
    (file: NodeInputFile, dir: string): Promise<unknown> => writeInputFileToPath(file, join(dir, "a")),
  ],
])("createNodeFile leaves no part of a file behind that breaks off on its way to the disk: %s", async (_name, save) => {
  const dir = await mkdtemp(join(tmpdir(), "runner-test-"));
  const breaking = Readable.from(
    (async function* generate() {
      yield Buffer.from("half");
      throw new Error("cut off");
    })(),
  );

  const error = await rejectionOf(save(new NodeInputFile({ name: "a" }, breaking), dir));

  expect(error.message).toBe("cut off");
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
});
