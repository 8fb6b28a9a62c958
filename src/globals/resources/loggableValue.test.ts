import { toLoggable } from "./loggableValue";
import { Logger } from "./logger";
import { LogPrinter, type LogWriters } from "./logPrinter";

function revoked<T extends object>(target: T): T {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const throwing = (): never => {
  throw new Error("no");
};
const throwingError = Object.defineProperties(new Error("boom"), { stack: { get: throwing }, name: { get: throwing } });
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

const hostileValues = {
  "a revoked proxy": revoked({}),
  "a revoked proxy of an array": revoked([]),
  "a revoked proxy of a function": revoked(() => {}),
  "a getter that throws": Object.defineProperty({}, "key", { enumerable: true, get: throwing }),
  "a toJSON that throws": { toJSON: throwing },
  "a toJSON that gives itself": { toJSON: () => cyclic },
  "a toString that throws": { toString: throwing, [Symbol.toPrimitive]: throwing },
  "a tag that throws": Object.defineProperty({}, Symbol.toStringTag, { get: throwing }),
  "an error whose fields throw": throwingError,
  "a prototype that throws": new Proxy({}, { getPrototypeOf: throwing, ownKeys: throwing, get: throwing }),
  "no prototype": Object.create(null) as object,
  "a cycle": cyclic,
  "a bigint": 2n ** 200n,
  "a symbol": Symbol("s"),
  "an invalid date": new Date(NaN),
  "100,000 levels": Array.from({ length: 100_000 }).reduce<unknown[]>((inner) => [inner], []),
};

const largeValues = {
  "a sparse array of 30,000,000": Object.assign([] as unknown[], { 29_999_999: 1 }),
  "10 MB of bytes": new Uint8Array(10_000_000),
  "5,000,000 characters": "x".repeat(5_000_000),
};

const written: string[] = [];
/** Not a matcher on the text, which may be long. */
const isWritten = (text: string): boolean => written.some((line) => line.includes(text));
beforeEach(() => {
  written.length = 0;
  const write: LogWriters["log"] = (line) => void written.push(String(line));
  LogPrinter.setWriters({ log: write, error: write });
});
afterEach(() => LogPrinter.resetWriters());

describe.each(["json", "json_pretty", "plain", "pretty"] as const)("a log as %s keeps its line", (printStrategy) => {
  const logger = () => new Logger({ printThreshold: "trace", printStrategy, bufferLogs: false, useColors: true });

  it.each(Object.entries(hostileValues))("a log keeps its line with %s anywhere in it", async (_kind, value) => {
    const infos: Record<string, unknown>[] = [
      { data: value },
      { data: { deep: [value] } },
      { error: value },
      { context: value },
      { other: value },
      { source: value },
      value as Record<string, unknown>,
    ];
    for (const info of infos) {
      written.length = 0;
      await logger().info("the line", info);
      expect(isWritten("the line")).toBe(true);
    }
    await logger().error(value, { data: { kept: "the data" } });
    expect(isWritten("the data")).toBe(true);
    await logger().with({ additionalContext: { value } }).warn("the child");
    expect(isWritten("the child")).toBe(true);
  });

  it.each(Object.entries(largeValues))(
    "a log keeps its line with %s, most of which it leaves out",
    async (_kind, value) => {
      await logger().info("the line", { data: { value } });
      await logger().info(value, { data: { kept: "the data" } });

      expect([isWritten("the line"), isWritten("the data")]).toEqual([true, true]);
      expect(written.join("\n").length).toBeLessThan(5_000_000);
    },
  );

  it("a log keeps its line with a level that does not exist, or nothing where its fields should be", async () => {
    await logger().log("verbose" as never, "the line");
    await logger().log("toString" as never, "the other line", null as never);

    expect([isWritten("the line"), isWritten("the other line")]).toEqual([true, true]);
  });
});

describe("toLoggable", () => {
  it("toLoggable replaces what throws where it stands, and keeps the rest", () => {
    expect(toLoggable({ bad: { toJSON: throwing }, good: 1, proxy: revoked({}) })).toEqual({
      bad: "[Unserializable]",
      good: 1,
      proxy: "[Unserializable]",
    });
  });

  it("toLoggable shows symbols, boxed primitives, dates and what toJSON gives", () => {
    expect(
      toLoggable([Symbol("s"), Object(1), Object("s"), new Date(0), new Date(NaN), { toJSON: () => ({ toJSON: 1 }) }]),
    ).toEqual(["Symbol(s)", 1, "s", "1970-01-01T00:00:00.000Z", null, { toJSON: 1 }]);
  });

  it("toLoggable counts what it leaves out of large values", () => {
    const rows = toLoggable(Array.from({ length: 10_005 }, () => 1)) as unknown[];
    const text = toLoggable(["y".repeat(1_000_007), "z"]) as string[];

    expect(rows).toHaveLength(10_000);
    expect(rows.at(-1)).toBe("[… 6 more]");
    expect(text.map((each) => each.slice(-12))).toEqual(["[… 7 more]".padStart(12, "y"), "[… 1 more]"]);
    expect(toLoggable({ bytes: new Uint8Array(1001) })).toEqual({ bytes: "[Uint8Array of 1001 bytes]" });
  });
});
