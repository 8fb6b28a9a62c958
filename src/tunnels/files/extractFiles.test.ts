import { thrownBy } from "../../__tests__/support/failures";
import { extractFiles } from "./extractFiles";

const file = (id: string, source: object, meta: object = { name: `${id}.txt` }) => ({
  $runnerFile: "File",
  id,
  meta,
  ...source,
});
const bytes = new Uint8Array([1, 2]);
const inMemory = (id: string) => file(id, { _node: { buffer: bytes } });

describe("inputs with files", () => {
  it("inputs with files leaves a bare sentinel and keeps everything else, types included", () => {
    class Distance {
      constructor(readonly meters: number) {}
    }
    const when = new Date(0);
    const distance = new Distance(5);
    const seen = new Map([[1, 2]]);
    const input = { a: inMemory("A"), rest: [{ when, distance, seen }, null, undefined, 1n] };

    const extracted = extractFiles(input);

    expect(extracted.input).toEqual({
      a: { $runnerFile: "File", id: "A", meta: { name: "A.txt" } },
      rest: [{ when, distance, seen }, null, undefined, 1n],
    });
    expect((extracted.input as typeof input).rest[0]).toMatchObject({ when, distance, seen });
    expect((extracted.input as { rest: [{ when: unknown }] }).rest[0].when).toBe(when);
    expect(extracted.files).toEqual([{ id: "A", meta: { name: "A.txt" }, source: { bytes } }]);
    expect(input.a).toHaveProperty("_node");
  });

  it.each([
    ["_node.buffer", { _node: { buffer: bytes, stream: [] }, _web: { blob: "b" } }, { bytes }],
    ["_node.stream", { _node: { stream: "s" }, _web: { blob: "b" } }, { stream: "s" }],
    ["_web.blob", { _node: {}, _web: { blob: "b" } }, { blob: "b" }],
  ])("inputs with files takes the bytes from %s when it is the best there is", (_name, sidecars, source) => {
    expect(extractFiles(file("A", sidecars))?.files[0]?.source).toEqual(source);
  });

  it("inputs with files understands the older spelling and writes the newer one", () => {
    const extracted = extractFiles({ $ejson: "File", id: "A", meta: { name: "a" }, _node: { buffer: bytes } });

    expect(extracted.input).toEqual({ $runnerFile: "File", id: "A", meta: { name: "a" } });
  });

  it("inputs with files lists files in the order they stand, each source once", () => {
    const first = inMemory("A");
    const extracted = extractFiles({ x: [first, inMemory("B")], y: first, z: file("Z", {}) });

    expect(extracted.files.map(({ id }) => id)).toEqual(["A", "B"]);
  });

  it("inputs with files refuses two sources under one id", () => {
    const other = file("A", { _node: { buffer: new Uint8Array([3]) } });

    expect(thrownBy(() => extractFiles([inMemory("A"), other])).message).toContain('share the id "A"');
  });

  it("inputs with files keeps loops and shared objects what they are", () => {
    const shared = { n: 1 };
    const input: Record<string, unknown> = { file: inMemory("A"), one: shared, two: shared };
    input["self"] = input;

    const copy = extractFiles(input).input as typeof input;

    expect(copy["self"]).toBe(copy);
    expect(copy["one"]).toBe(copy["two"]);
    expect(copy).not.toBe(input);
  });

  it("inputs with files gives no prototype to a copy", () => {
    const input = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    input["file"] = inMemory("A");

    const copy = extractFiles(input).input as object;

    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy).not.toHaveProperty("polluted");
  });
});
