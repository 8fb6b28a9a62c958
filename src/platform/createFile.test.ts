import { createFile } from "./createFile";
import { isFileSentinel } from "./inputFile";

const meta = { name: "a.bin", type: "text/plain" };

it("createFile writes the sentinel with its sidecar last, and F1 as id", () => {
  const blob = new Blob(["x"]);

  expect(Object.entries(createFile(meta, blob))).toEqual([
    ["$runnerFile", "File"],
    ["id", "F1"],
    ["meta", meta],
    ["_web", { blob }],
  ]);
  expect(createFile(meta, blob, "A").id).toBe("A");
});

it.each([
  ["bytes", new Uint8Array([104, 105])],
  ["a view into a larger buffer", new Uint8Array([0, 104, 105, 0]).subarray(1, 3)],
  ["an ArrayBuffer", new Uint8Array([104, 105]).buffer],
])("createFile makes a blob of %s, with the type that was stated", async (_what, source) => {
  const { blob } = createFile(meta, source)._web;

  expect(await blob.text()).toBe("hi");
  expect(blob.type).toBe("text/plain");
});

it("createFile leaves streams and buffers to the clients of Node", () => {
  const source = { stream: (async function* () {})() };

  expect(createFile({ name: "a" }, source)).toEqual({
    $runnerFile: "File",
    id: "F1",
    meta: { name: "a" },
    _node: source,
  });
});

describe("isFileSentinel", () => {
  it.each([
    ["the spelling of today", { $runnerFile: "File", id: "A" }, true],
    ["the older one", { $ejson: "File", id: "A" }, true],
    ["both at once", { $runnerFile: "File", $ejson: "File", id: "A" }, true],
    ["no id", { $runnerFile: "File" }, false],
    ["an id that is no text", { $runnerFile: "File", id: 1 }, false],
    ["another kind", { $runnerFile: "Blob", id: "A" }, false],
    ["nothing", null, false],
    ["text", "File", false],
  ])("isFileSentinel says of each shape whether it is one: %s", (_what, value, expected) => {
    expect(isFileSentinel(value)).toBe(expected);
  });
});

it.each([
  ["a blob", () => createFile(meta, new Blob(["hi"]))],
  ["bytes", () => createFile(meta, new Uint8Array([104, 105]))],
  ["a buffer", () => createFile(meta, { buffer: new Uint8Array([104, 105]) })],
])("a file made from %s is read here as an input file, once", async (_source, makeFile) => {
  const file = makeFile();

  expect([file.name, file.type]).toEqual(["a.bin", "text/plain"]);
  expect(await new Response(file.stream() as ReadableStream).text()).toBe("hi");
  expect(() => file.stream()).toThrow("InputFile stream already consumed");
});

it("saving a file to disk needs one made for Node, and says so", async () => {
  await expect(createFile(meta, new Blob(["hi"])).toTempFile()).rejects.toThrow("createNodeFile");
});
