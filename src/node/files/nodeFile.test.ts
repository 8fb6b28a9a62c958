import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { rejectionOf } from "../../__tests__/support/failures";
import type { InputFile } from "../../platform/inputFile";
import { createNodeFile, readInputFileToBuffer, toPassThrough, writeInputFileToPath } from "./nodeFile";
import { NodeInputFile } from "./nodeInputFile";

const fileOf = (stream: Readable) =>
  ({ name: "a", resolve: async () => ({ stream }), stream: () => stream }) as InputFile<Readable>;

it("writes the sentinel with its sidecar last, and F1 as id", () => {
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

describe("readInputFileToBuffer", () => {
  it("joins bytes, text and whatever else a stream holds", async () => {
    const stream = Readable.from([Buffer.from("a"), "é", 5, new Uint8Array([98])]);

    expect((await readInputFileToBuffer(fileOf(stream))).toString()).toBe("aé5b");
  });

  it("rejects with the stream's own error", async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error("broke"));
      },
    });

    expect((await rejectionOf(readInputFileToBuffer(fileOf(broken)))).message).toBe("broke");
  });
});

describe("writeInputFileToPath", () => {
  it("makes directories, replaces what is there and counts bytes", async () => {
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

  it("rejects for a path that cannot be written, and closes the stream", async () => {
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
  it("gives another stream with the same content", async () => {
    const stream = Readable.from(["ab"]);

    const through = toPassThrough(stream);

    expect(through).not.toBe(stream);
    expect(await text(through)).toBe("ab");
  });

  it("fails as its source does", async () => {
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
])("leaves no part of a file behind that breaks off on its way to the disk: %s", async (_name, save) => {
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
