import { Readable } from "node:stream";
import { thrownBy } from "../../__tests__/support/failures";
import { findFiles } from "./findFiles";

const file = (id: string, source: object = { _node: { buffer: new Uint8Array([1]) } }) => ({
  $runnerFile: "File",
  id,
  meta: { name: `${id}.txt` },
  ...source,
});
const idsOf = (input: unknown): string[] => findFiles(input).map(({ id }) => id);

const loop: Record<string, unknown> = { list: [] };
loop["self"] = loop;
(loop["list"] as unknown[]).push(loop, loop);

const holes: unknown[] = [];
holes[30_000_000] = file("A");

const deep = (inner: unknown, levels: number): unknown => {
  let value = inner;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

it.each([
  ["a primitive", 5],
  ["nothing", undefined],
  ["a sentinel that only describes a file", file("A", {})],
  ["a file hidden in a Map", new Map([["f", file("A")]])],
  ["a loop", loop],
  ["a list of more holes than any serializer writes", { holes }],
  ["a depth that no serializer writes", deep(file("A"), 100_000)],
])("findFiles finds none in %s", (_what, input) => {
  expect(findFiles(input)).toEqual([]);
});

it.each([
  ["next to each other", { a: file("A"), rest: [{ b: file("B") }, file("C")] }],
  ["behind thousands of values", [...Array.from({ length: 10_000 }, () => ({})), file("A"), [file("B")], file("C")]],
  ["in a loop", Object.assign([file("A"), file("B"), file("C"), {}, loop])],
  ["in the depth", [file("A"), deep([file("B"), file("C")], 1000)]],
])("findFiles finds those %s, in the order they stand", (_where, input) => {
  expect(idsOf(input)).toEqual(["A", "B", "C"]);
});

it("findFiles asks a value that is shared by thousands not thousands of times", () => {
  let reads = 0;
  const shared = {
    get field() {
      return (reads += 1);
    },
  };
  const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], shared);

  findFiles(doubled);

  expect(reads).toBeLessThan(10_000);
});

it.each([
  ["Blob", new Blob(["x"])],
  ["Readable", Readable.from(["x"])],
  ["ReadableStream", new ReadableStream()],
])("findFiles says what to do with a bare %s, which would be sent as {}", (name, value) => {
  expect(thrownBy(() => findFiles({ avatar: [value] })).message).toBe(
    `A ${name} inside an input cannot be sent as it is. Put createFile({ name }, it) there.\n  at input.avatar[0]`,
  );
});
