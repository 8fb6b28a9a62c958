import { checkSnippets } from "./checkSnippets";
import { readSnippets } from "./readSnippets";

const page = (...lines: string[]) => readSnippets("GUIDE.md", lines.join("\n"));

it("checkSnippets takes TypeScript fences, without the ones to ignore", () => {
  const snippets = page(
    "```ts",
    "1;",
    "```",
    "```js",
    "2;",
    "```",
    "```ts ignore",
    "3;",
    "```",
    "```typescript",
    "4;",
    "```",
  );

  expect(snippets.map(({ line, code }) => [line, code])).toEqual([
    [2, "1;"],
    [11, "4;"],
  ]);
});

it("checkSnippets appends a continuing fence and reports its mistakes at their own lines", () => {
  const snippets = page("```ts", "const a = 1;", "```", "text", "```ts continue", "a.nope;", "```");

  expect(snippets).toHaveLength(1);
  expect(checkSnippets(snippets)).toEqual(["GUIDE.md:6 Property 'nope' does not exist on type '1'."]);
});

it("checkSnippets lets a fence import a named one of its page", () => {
  const snippets = page(
    "```ts",
    "// file: shared.ts",
    "export const a = 1;",
    "```",
    "```ts",
    'import { a } from "./shared";',
    "a.nope;",
    "```",
  );

  expect(checkSnippets(snippets)).toEqual(["GUIDE.md:7 Property 'nope' does not exist on type '1'."]);
});

it("pairs a program with the output that follows it", () => {
  const [snippet] = page("```ts run", "console.log(1);", "```", "", "```text output", "1", "```");

  expect(snippet).toMatchObject({ runs: true, output: "1" });
});

it("checkSnippets removes the indentation of a fence inside a list", () => {
  expect(page("- item", "  ```ts", "  if (1) {", "    2;", "  }", "  ```")[0]?.code).toBe("if (1) {\n  2;\n}");
});
