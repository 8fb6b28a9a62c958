import { readImports, readMembers } from "./readImports";
import { readTokens } from "./tokens";

const importsOf = (text: string) =>
  readImports(readTokens(text)).map(({ specifier, line, names, namespace }) => ({
    from: `${specifier}:${line}`,
    names: names.map(
      ({ name, local, isType }) => `${isType ? "type " : ""}${name}${local === name ? "" : ` as ${local}`}`,
    ),
    ...(namespace !== undefined && { namespace }),
  }));

it.each([
  ['import { a, b as c } from "x";', ["a", "b as c"]],
  ['import type { A, B } from "x";', ["type A", "type B"]],
  ['import { type A, b, type C as D, } from "x";', ["type A", "b", "type C as D"]],
  ['import type, { a } from "x";', ["default as type", "a"]],
  ['import d, { a } from "x";', ["default as d", "a"]],
  ['export { a, b as c } from "x";', ["a", "b as c"]],
  ['export type { A } from "x";', ["type A"]],
  ['export * from "x";', []],
  ['import "x";', []],
  ['const { a, b: c, d = 1 } = require("x");', ["a", "b as c", "d"]],
  ['const { a } = await import("x");', ["a"]],
  ['require("x").a();', ["a"]],
  ["import { a } from `x`;", ["a"]],
])("readImports reads the names of %s", (text, names) => {
  expect(importsOf(text)).toEqual([{ from: "x:1", names }]);
});

it.each([
  'import * as all from "x";',
  'const all = require("x");',
  'import all = require("x");',
  'const all = await import("x")',
])("readImports reads the module that %s names", (text) => {
  expect(importsOf(text)).toEqual([{ from: "x:1", names: expect.any(Array), namespace: "all" }]);
});

it.each([
  ["a comment", '// import { a } from "x"\n/* require("x") */'],
  ["a string", "const text = 'import { a } from \"x\"';"],
  ["a template", 'const text = `import { a } from "x"`;'],
  ["a regular expression", 'const rule = /import "x" [/] require("x")/;'],
  ["a method of that name", 'loader.require("x"); loader.import("x");'],
  ["an export of its own", 'export const from = 1; export { from }; export default "x";'],
])("readImports finds no import in %s", (_what, text) => {
  expect(importsOf(text)).toEqual([]);
});

it.each([
  ["a template with a value in it", '`a${ `b${ { c: "}" }.c }` } import`;'],
  ["a division", "const half = total / 2; const rest = (a + b) / c;"],
  ["JSX with apostrophes", "const page = <p>don't {name} / won't</p>;"],
  ["an apostrophe that nothing closes", "const page = <p>it's</p>;"],
  ["a regular expression with quotes in it", "const quotes = /[\"'`/]/g;"],
  ["an escaped line end", "const text = 'a\\\nb';"],
])("readImports reads on behind %s, and counts lines", (_what, text) => {
  const lines = text.split("\n").length;

  expect(importsOf(`${text}\nimport { a } from "x";`)).toEqual([{ from: `x:${lines + 1}`, names: ["a"] }]);
});

it.each(["`${", "/*", '"', "/", "{", "import {", "import { a", "require(", "`", "\\", "import type"])(
  "readImports ends where the text ends within %s",
  (text) => {
    expect(importsOf(text)).toEqual([]);
  },
);

it("readImports reads 256 KiB of any one piece in one pass", () => {
  for (const char of ["`", "/", "{", "'", "(", "a", "\\", "${`", "import {", "a < ", "/[", "=/["]) {
    const text = char.repeat(Math.ceil(2 ** 18 / char.length));

    expect(readTokens(text).length).toBeLessThanOrEqual(text.length);
  }
});

it("readImports reads chains of members, optional ones and those over several lines", () => {
  const tokens = readTokens("globals.middleware\n  .task?.retry.with(1); other.globals.a; globals; globals?.tags");

  expect(readMembers(tokens, "globals").map(({ path }) => path)).toEqual([
    ["middleware", "task", "retry", "with"],
    ["tags"],
  ]);
});
