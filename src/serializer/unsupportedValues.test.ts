import { Readable, Writable } from "node:stream";
import { runInNewContext } from "node:vm";
import { Serializer } from "./Serializer";

const serializer = new Serializer();

class Cursor {
  next(): IteratorResult<number> {
    return { done: true, value: 0 };
  }
  [Symbol.iterator](): this {
    return this;
  }
}

class Query {
  then(resolve: (rows: unknown[]) => void): void {
    resolve([]);
  }
}

const kinds: readonly (readonly [kind: string, make: () => unknown])[] = [
  ["Promise", () => Promise.resolve(1)],
  ["Promise", () => new Query()],
  ["Promise", () => runInNewContext("Promise.resolve(1)")],
  ["FormData", () => new FormData()],
  ["Blob", () => new Blob(["a"])],
  ["File", () => new File(["a"], "a.txt")],
  ["ReadableStream", () => new ReadableStream()],
  ["WritableStream", () => new WritableStream()],
  ["TransformStream", () => new TransformStream()],
  ["Stream", () => Readable.from(["a"])],
  ["Stream", () => new Writable()],
  ["Request", () => new Request("http://localhost")],
  ["Response", () => new Response("a")],
  ["Headers", () => new Headers({ a: "b" })],
  ["SharedArrayBuffer", () => new SharedArrayBuffer(1)],
  ["WeakMap", () => new WeakMap()],
  ["WeakSet", () => new WeakSet()],
  ["WeakRef", () => new WeakRef({})],
  ["Array Iterator", () => [1].values()],
  ["Map Iterator", () => new Map().entries()],
  ["Set Iterator", () => new Set().values()],
  ["String Iterator", () => ""[Symbol.iterator]()],
  ["Iterator", () => new Cursor()],
  ["Generator", () => (function* () {})()],
  ["AsyncGenerator", () => (async function* () {})()],
  ["function", () => () => 1],
  ["function", () => class {}],
  ["function", () => async () => {}],
];

describe("a value that is more than its fields", () => {
  it.each(kinds)("a value that is more than its fields is refused, with its kind and where it is: %s", (kind, make) => {
    const message = `Cannot serialize value of type "${kind}"`;

    for (const mode of ["stringify", "serialize"] as const) {
      const nested = caught(() => serializer[mode]({ input: { report: { items: [1, 2, 3, make()] } } }));
      const alone = caught(() => serializer[mode](make()));

      expect(nested).toBeInstanceOf(TypeError);
      expect(nested).toMatchObject({ code: "UNSUPPORTED_VALUE", message: `${message}\n  at input.report.items[3]` });
      expect(nested.stack).toContain("input.report.items[3]");
      expect(alone.message).toBe(message);
    }
  });

  it.each([
    ["in a map", (job: unknown) => new Map([["k", { job }]]), "[0][1].job"],
    ["as a key of a map", (job: unknown) => ({ byJob: new Map([[job, 1]]) }), "byJob[0][0]"],
    ["in a set", (job: unknown) => [new Set([1, job])], "[0][1]"],
    ["behind an error", (job: unknown) => ({ error: new Error("e", { cause: job }) }), "error.cause"],
    ["as a field of an error", (job: unknown) => Object.assign(new Error("e"), { job }), "customFields.job"],
    ["under a key that is no name", (job: unknown) => ({ "a b": [job] }), '["a b"][0]'],
    ["in an instance of a class", (job: unknown) => [Object.assign(new Query(), { then: 1, job })], "[0].job"],
    ["beside a loop", (job: unknown) => ({ list: [new Map(), job] }), "list[1]"],
  ])("a value that is more than its fields is found %s", (_where, make, path) => {
    const error = caught(() => serializer.stringify(make(Promise.resolve())));

    expect(error.message).toBe(`Cannot serialize value of type "Promise"\n  at ${path}`);
  });

  it("a value that is more than its fields is found in a graph with loops", () => {
    const root: Record<string, unknown> = { job: Promise.resolve() };
    root["list"] = [root, root];

    expect(caught(() => serializer.serialize({ root: root["list"] })).message).toMatch(/\n {2}at root\[0\]\.job$/);
  });

  it("a value that is more than its fields is told of symbols as well, and by the path alone where a type made it up", () => {
    const typed = new Serializer();
    typed.addType({
      id: "Lazy",
      is: (value): value is { lazy: true } => Object.hasOwn(value as object, "lazy"),
      serialize: () => ({ made: () => 1 }),
      deserialize: () => ({ lazy: true as const }),
    });

    expect(caught(() => typed.stringify({ a: [Symbol("x")] })).message).toMatch(
      /^Cannot .* unique symbols.*\n {2}at a\[0\]$/,
    );
    expect(caught(() => typed.stringify({ a: { lazy: true } })).message).toBe(
      'Cannot serialize value of type "function"',
    );
  });

  it("a value that is more than its fields may have a type of the application", () => {
    const typed = new Serializer();
    typed.addType({
      id: "Headers",
      is: (value): value is Headers => value instanceof Headers,
      serialize: (headers) => [...headers],
      deserialize: (entries) => new Headers(entries),
    });

    const copy = typed.parse<Headers>(typed.stringify(new Headers({ a: "b" })));

    expect(copy.get("a")).toBe("b");
  });
});

describe("other instances", () => {
  it.each([
    ["text", Object("ab"), "ab"],
    ["number", Object(5), 5],
    ["truth", Object(false), false],
    ["big integer", Object(7n), 7n],
    ["registered symbol", Object(Symbol.for("k")), Symbol.for("k")],
    ["number of another realm", runInNewContext("Object(5)"), 5],
    ["number that is none", Object(NaN), NaN],
  ])(
    "other instances that box a primitive are written as the primitive: %s",
    (_what, boxed: unknown, primitive: unknown) => {
      expect(serializer.parse(serializer.stringify({ boxed }))).toEqual({ boxed: primitive });
      expect(serializer.parse(serializer.serialize([boxed]))).toEqual([primitive]);
      expect(serializer.stringify(boxed)).toBe(serializer.stringify(primitive));
    },
  );

  it("other instances stay their own fields", () => {
    class Range {
      from = 1;
      to = 2;
      *[Symbol.iterator](): Generator<number> {
        yield this.from;
      }
    }
    class Named {
      next = "page 2";
      pipe = true;
      get [Symbol.toStringTag](): string {
        return "Number";
      }
    }
    class Observable {
      source = 1;
      pipe(): this {
        return this;
      }
    }

    expect(serializer.stringify([new Range(), new Named(), new Observable()])).toBe(
      '[{"from":1,"to":2},{"next":"page 2","pipe":true},{"source":1}]',
    );
    expect(serializer.stringify({ [Symbol.toStringTag]: "Promise", a: 1 })).toBe('{"a":1}');
  });
});

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
