import { Serializer } from "./Serializer";

const serializer = new Serializer();

describe("limits", () => {
  const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], []);
  const long = Array.from({ length: 100_000 }, () => 1);
  const row = Object.fromEntries(Array.from({ length: 100 }, (_each, index) => [`k${index}`, 1]));
  const table = Array.from({ length: 1000 }, () => row);

  it.each([
    ["objects", doubled, 5_000, 10_000_000],
    ["items", Array.from({ length: 1000 }, () => long), 400_000, 1_000_000],
    ["fields", Array.from({ length: 1000 }, () => table), 100_000, 1_000_000],
  ])(
    "the limits of the serializer refuses a tree that shared structure would blow up, however short the text: %s",
    (_what, value, length, maxValues) => {
      const writer = maxValues === 10_000_000 ? serializer : new Serializer({ maxValues });
      const text = serializer.serialize(value);

      const decoded = serializer.parse(text);

      expect(text.length).toBeLessThan(length);
      expect(caught(() => writer.stringify(decoded))).toMatchObject({
        message: `Cannot serialize more than ${maxValues} values in tree mode`,
        code: "TREE_TOO_LARGE",
      });
    },
  );

  it("the limits of the serializer takes a long array for what it is", () => {
    expect(new Serializer().stringify(long)).toHaveLength(200_001);
  });

  it.each([
    ["an object", { a: { b: 1 } }, 2],
    ["an array", [[1]], 2],
    ["an empty container", [[]], 1],
    ["a key that is left out", JSON.parse('{"a":{"constructor":{"b":1}}}') as unknown, 1],
    ["a record of a primitive", [undefined, NaN, 1n], 1],
    ["a date", new Date(0), 1],
    ["a map", new Map([[1, 1]]), 3],
    ["a buffer", Buffer.from("a"), 2],
  ])("the limits of the serializer count levels alike when writing and reading: %s", (_name, value, depth) => {
    const enough = new Serializer({ maxDepth: depth });
    const tooFew = new Serializer({ maxDepth: depth - 1 });
    const text = enough.stringify(value);
    const message = `Maximum depth exceeded (${depth - 1})`;

    expect(enough.stringify(enough.parse(text))).toBe(text);
    expect(caught(() => tooFew.stringify(value))).toMatchObject({ message, code: "DEPTH_EXCEEDED" });
    expect(caught(() => tooFew.parse(text))).toMatchObject({ message, code: "DEPTH_EXCEEDED" });
    expect(caught(() => tooFew.serialize(value))).toMatchObject({ message });
  });

  it("the limits of the serializer count a reference and its node as two levels", () => {
    const text = serializer.serialize({ a: { b: 1 } });

    expect(new Serializer({ maxDepth: 4 }).parse(text)).toEqual({ a: { b: 1 } });
    expect(caught(() => new Serializer({ maxDepth: 3 }).parse(text)).message).toBe("Maximum depth exceeded (3)");
  });

  it("the limits of the serializer tell depth from a loop beyond the depth that is tried first", () => {
    const deep = new Serializer({ maxDepth: 1500 });

    expect(deep.parse(deep.stringify(nest(1500)))).toEqual(nest(1500));
    expect(caught(() => deep.stringify(nest(1501))).message).toBe("Maximum depth exceeded (1500)");
  });

  it("the limits of the serializer end in a RangeError when only the stack is left to stop them", () => {
    const unlimited = new Serializer({ maxDepth: Infinity });
    const text = "[".repeat(200_000) + "]".repeat(200_000);

    expect(caught(() => unlimited.parse(text)).name).toBe("RangeError");
    expect(caught(() => unlimited.stringify(nest(200_000))).name).toBe("RangeError");
  });

  it.each([
    [{ maxDepth: 2.9 }, 2],
    [{ maxDepth: -1 }, 1000],
    [{ maxDepth: NaN }, 1000],
    [{ maxDepth: "5" as unknown as number }, 1000],
  ])("the limits of the serializer read %j as a depth of %d", (options, depth) => {
    const limited = new Serializer(options);

    expect(limited.stringify(nest(depth))).toBe(JSON.stringify(nest(depth)));
    expect(() => limited.stringify(nest(depth + 1))).toThrow(`Maximum depth exceeded (${depth})`);
  });

  it.each(["allow-all", "well-known-only", "disabled"] as const)(
    "the limits of the serializer know the policy %s by its newer name",
    (symbolPolicy) => {
      const limited = new Serializer({ symbolPolicy });
      const reads = (symbol: symbol): boolean => {
        try {
          return limited.parse(serializer.stringify(symbol)) === symbol;
        } catch {
          return false;
        }
      };

      expect([reads(Symbol.iterator), reads(Symbol.for("k"))]).toEqual(
        {
          "allow-all": [true, true],
          "well-known-only": [true, false],
          disabled: [false, false],
        }[symbolPolicy],
      );
    },
  );
});

function nest(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
