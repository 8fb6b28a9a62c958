import type { Snippet } from "./readSnippets";
import { createVirtualProgram, mistakesIn } from "./virtualProgram";

/** Type-checks snippets as a user with plain `strict` would; one line per mistake, e.g. `README.md:57 Property ...`. */
export function checkSnippets(snippets: readonly Snippet[]): string[] {
  const program = createVirtualProgram(new Map(snippets.map(({ path, code }) => [path, code])));
  return snippets.flatMap(({ page, path, lines, line: firstLine }) =>
    mistakesIn(program, path).map(({ line, message }) => `${page}:${lines[line] ?? firstLine} ${message}`),
  );
}
