import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkSnippets } from "../support/checkSnippets";
import { documentationPages, readSnippets } from "../support/readSnippets";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runSnippet } from "../support/runSnippet";
import { root } from "../support/root";

const snippets = documentationPages()
  .filter((page) => existsSync(join(root, page)))
  .flatMap((page) => readSnippets(page));
const programs = snippets.filter(({ runs }) => runs);

it("every TypeScript fence of README and readmes compiles", () => {
  expect(checkSnippets(snippets)).toEqual([]);
}, 300_000);

describe("programs", () => {
  if (programs.length > 0) beforeAll(ensureBuilt, buildTimeoutMs);

  it("programs of the guide run, and print what the page says", async () => {
    for (const program of programs) {
      const where = `${program.page}:${program.line}`;

      const { exitCode, stdout, stderr } = await runSnippet(program);

      expect({ where, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ where, exitCode: 0, stderr: "" });
      if (program.output !== undefined) expect(`${where}\n${stdout.trim()}`).toBe(`${where}\n${program.output.trim()}`);
    }
  }, 300_000);
});
