import { ansiTheme, formatJson, formatLines, type PrintableLog } from "./logFormat";

const timestamp = new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 67));

function log(fields: Partial<PrintableLog>): PrintableLog {
  return { level: "info", message: "hello", timestamp, ...fields };
}

function circular(): Record<string, unknown> {
  const value: Record<string, unknown> = { a: 1 };
  value["self"] = value;
  return value;
}

const hostile = {
  toJSON() {
    throw new Error("no");
  },
};

describe("formatJson", () => {
  it("formatJson writes one line with the fields of the log", () => {
    const text = formatJson(log({ source: "app.x", data: { n: 1 } }));

    expect(text).toBe(
      '{"level":"info","message":"hello","timestamp":"2024-01-02T03:04:05.067Z","source":"app.x","data":{"n":1}}',
    );
  });

  it("formatJson indents when asked to", () => {
    expect(formatJson({ level: "info", message: { a: [1] }, timestamp }, 2)).toBe(
      [
        "{",
        '  "level": "info",',
        '  "message": {',
        '    "a": [',
        "      1",
        "    ]",
        "  },",
        '  "timestamp": "2024-01-02T03:04:05.067Z"',
        "}",
      ].join("\n"),
    );
  });

  it("formatJson has a text for cycles, bigints, functions and errors, at any depth", () => {
    const message = { deep: { deeper: { deepest: { value: circular() } } }, big: 10n, run: () => 1 };
    const error = Object.assign(new TypeError("boom"), { code: "E1" });

    const read = JSON.parse(formatJson(log({ message, data: { error } }))) as { message: unknown; data: unknown };

    expect(read.message).toEqual({
      deep: { deeper: { deepest: { value: { a: 1, self: "[Circular]" } } } },
      big: "10",
      run: "function()",
    });
    expect(read.data).toMatchObject({ error: { name: "TypeError", message: "boom", code: "E1" } });
  });

  it("formatJson finds the cycle of an error that holds itself", () => {
    const error = new Error("boom");
    Object.assign(error, { self: error });

    expect(JSON.parse(formatJson(log({ message: error })))).toMatchObject({
      message: { message: "boom", self: "[Circular]" },
    });
  });

  it("formatJson does not take a value met twice for a cycle", () => {
    const shared = { a: 1 };

    expect(JSON.parse(formatJson(log({ message: { left: shared, right: [shared] } })))).toMatchObject({
      message: { left: { a: 1 }, right: [{ a: 1 }] },
    });
  });

  it("formatJson replaces what cannot be serialised where it stands, and keeps everything else", () => {
    expect(JSON.parse(formatJson(log({ data: { hostile, kept: 1 } })))).toEqual({
      level: "info",
      message: "hello",
      timestamp: "2024-01-02T03:04:05.067Z",
      data: { hostile: "[Unserializable]", kept: 1 },
    });
  });

  it("formatJson survives nesting deeper than the engine can follow", () => {
    let nested: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];

    const shown = JSON.parse(formatJson(log({ message: nested }))) as { level: string; message: unknown };

    expect(shown.level).toBe("info");
    expect((shown.message as unknown[]).flat(99)).toEqual(["[Array]"]);
  });
});

describe("formatLines", () => {
  it("formatLines writes a header and the message under the column after the level", () => {
    expect(formatLines(log({ source: "app.x", message: "one\ntwo" }))).toEqual([
      "03:04:05.067 ● INFO    app.x",
      "                       one",
      "                       two",
      "",
    ]);
  });

  it.each([
    ["trace", "○ TRACE  "],
    ["debug", "◆ DEBUG  "],
    ["info", "● INFO   "],
    ["warn", "▲ WARN   "],
    ["error", "✕ ERROR  "],
    ["critical", "█ CRITICAL"],
    ["other", "● OTHER  "],
  ])("formatLines marks level %s", (level, badge) => {
    expect(formatLines(log({ level: level as "info", message: "" }))).toEqual([`03:04:05.067 ${badge}`, ""]);
  });

  it("formatLines does not repeat an error of several lines that the message tells already", () => {
    const error = { name: "ZodError", message: '[\n  { "path": ["a"] }\n]' };

    const text = formatLines(log({ level: "error", message: `ZodError: ${error.message}`, error })).join("\n");

    expect(text.match(/"path"/g)).toHaveLength(1);
    expect(text).toContain("╰─ Error: ZodError\n");
  });

  it("formatLines aligns the message with a level longer than the column", () => {
    expect(formatLines(log({ level: "critical", message: "x" }))[1]).toBe(`${" ".repeat(24)}x`);
  });

  it.each(["", 0, null, undefined, false])("formatLines writes no line for the message %p", (message) => {
    expect(formatLines(log({ message }))).toHaveLength(2);
  });

  it("formatLines writes error, data and context between blank lines", () => {
    const stack = "Error: boom\n    at foo (/a/b.js:1:2)\n    at /c/d.js:3:4";

    const lines = formatLines(
      log({
        message: "",
        error: { name: "Error", message: "boom", stack },
        data: { a: 1 },
        context: { source: "hidden", user: 7 },
      }),
    );

    expect(lines.slice(1)).toEqual([
      "",
      "  ╰─ Error: Error: boom",
      "     ↳ foo (/a/b.js:1:2)",
      "     ↳ /c/d.js:3:4",
      "  ╰─ Data:",
      "  {",
      '    "a": 1',
      "  }",
      "  ╰─ Context:",
      "  {",
      '    "user": 7',
      "  }",
      "",
      "",
    ]);
  });

  it("formatLines writes nothing for empty data and a context of only the source", () => {
    expect(formatLines(log({ message: "", data: {}, context: { source: "app.x" } }))).toHaveLength(2);
  });

  it("formatLines names what lies deeper than three levels of data by its kind", () => {
    const data = { a: { b: { c: { d: 1 } } }, list: [[[1]]], self: circular() };

    const lines = formatLines(log({ message: "", data }));

    expect(JSON.parse(lines.slice(3, -2).join(""))).toEqual({
      a: { b: { c: "[Object]" } },
      list: [["[Array]"]],
      self: { a: 1, self: "[Circular]" },
    });
  });

  it.each([
    ["an object", { a: 1n }, ["{", '  "a": "1"', "}"]],
    ["an array", [1], ["[", "  1", "]"]],
    ["a bigint", 10n, ["10"]],
    ["a function", () => 1, ["function()"]],
    ["a symbol", Symbol("s"), ["Symbol(s)"]],
    ["what cannot be serialised", hostile, ["[Unserializable]"]],
  ])("formatLines prints %s given as message", (_kind, message, expected) => {
    const lines = formatLines(log({ message })).slice(1, -1);

    expect(lines.map((line) => line.slice(23))).toEqual(expected);
  });

  it("formatLines prints an error given as message with its stack", () => {
    expect(formatLines(log({ message: new RangeError("boom") }))[1]).toBe(`${" ".repeat(23)}RangeError: boom`);
  });

  it("formatLines does not fail on an invalid timestamp", () => {
    expect(formatLines(log({ timestamp: new Date(NaN), message: "" }))[0]).toBe("--:--:--.--- ● INFO   ");
  });

  it("formatLines paints with the theme it is given", () => {
    const lines = formatLines(
      log({
        level: "warn",
        source: "app.x",
        message: "",
        error: { name: "E", message: "m", stack: "at f" },
        data: { a: 1 },
        context: { b: 2 },
      }),
      ansiTheme,
    );

    expect(lines).toEqual([
      "\x1b[90m03:04:05.067\x1b[0m \x1b[33m▲ \x1b[1mWARN   \x1b[0m \x1b[36mapp.x\x1b[0m",
      "",
      "  \x1b[90m╰─\x1b[0m \x1b[31mError: E: m\x1b[0m",
      "     \x1b[90m↳\x1b[0m \x1b[2mf\x1b[0m",
      "  \x1b[90m╰─\x1b[0m \x1b[36mData:\x1b[0m",
      "  \x1b[2m{\x1b[0m",
      '  \x1b[2m  "a": 1\x1b[0m',
      "  \x1b[2m}\x1b[0m",
      "  \x1b[90m╰─\x1b[0m \x1b[34mContext:\x1b[0m",
      "  \x1b[2m{\x1b[0m",
      '  \x1b[2m  "b": 2\x1b[0m',
      "  \x1b[2m}\x1b[0m",
      "",
      "",
    ]);
  });
});

describe("words of others in a log", () => {
  const evil = "bad \x1b[2J\x1b]0;owned\x07\u009b31m\r\n03:04:05.067 ● INFO    app\tall is well";
  const error = { name: `Error${evil}`, message: evil, stack: `Error: ${evil}\n    at \x1b[31mforged (x.js:1:1)` };

  it.each([
    ["beside a message of the application", "failed"],
    ["as the message", evil],
    ["as an error in the place of the message", new Error(evil)],
  ])("formatLines lets an error neither control a terminal nor look like another log, %s", (_where, message) => {
    const lines = formatLines(log({ level: "error", message, error, source: "app.x" })).flatMap((line) =>
      line.split("\n"),
    );

    // eslint-disable-next-line no-control-regex -- what must not be printed
    expect(lines.join("\n")).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(lines.filter((line) => /^\S/.test(line))).toEqual(["03:04:05.067 ✕ ERROR   app.x"]);
  });

  it("formatLines leaves the colours of an application's own message", () => {
    expect(formatLines(log({ message: "\x1b[32mgreen\x1b[0m" })).join("\n")).toContain("\x1b[32mgreen\x1b[0m");
  });
});
