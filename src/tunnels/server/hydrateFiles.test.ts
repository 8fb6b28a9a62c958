import { hydrateFiles } from "./hydrateFiles";

const sentinel = (id: string) => ({ $runnerFile: "File", id, meta: { name: id } });
const open = ({ id }: { readonly id: string }) => `file ${id}`;

it("hydrateFiles replaces sentinels of both spellings, wherever they are", () => {
  const input = { a: sentinel("A"), list: [{ deep: { $ejson: "File", id: "B" } }] };

  expect(hydrateFiles(input, open)).toEqual({ a: "file A", list: [{ deep: "file B" }] });
});

it("hydrateFiles replaces an input that is a sentinel as a whole", () => {
  expect(hydrateFiles(sentinel("A"), open)).toBe("file A");
});

it("hydrateFiles opens a file once, however often it is named", () => {
  const opened: string[] = [];

  const [first, second] = hydrateFiles([sentinel("A"), sentinel("A")], ({ id }) => ({ id, n: opened.push(id) })) as [
    unknown,
    unknown,
  ];

  expect(first).toBe(second);
  expect(opened).toEqual(["A"]);
});

it("hydrateFiles leaves everything else as it is, by identity", () => {
  const input = { when: new Date(0), map: new Map([["k", sentinel("A")]]), bytes: Buffer.from("x"), none: null };
  const { when, map, bytes } = input;

  const hydrated = hydrateFiles(input, open) as typeof input;

  expect([hydrated.when === when, hydrated.map === map, hydrated.bytes === bytes]).toEqual([true, true, true]);
  expect(map.get("k")).toEqual(sentinel("A"));
});

it("hydrateFiles gets through loops", () => {
  const input: { self?: unknown; file?: unknown } = { file: sentinel("A") };
  input.self = input;

  const hydrated = hydrateFiles(input, open) as typeof input;

  expect([hydrated.self === hydrated, hydrated.file]).toEqual([true, "file A"]);
});
