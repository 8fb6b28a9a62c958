import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root";

/**
 * The TypeScript of one fence in a Markdown page, with the fences that continue it.
 *
 * Words after the language say what to do with it: `ignore` leaves it out, `continue` appends it to the fence before,
 * `run` also executes it. A first line `// file: shared.ts` lets other fences of the page import it as `./shared`.
 */
export interface Snippet {
  /** Path of the page from the root, and the line of the first fence in it. */
  readonly page: string;
  readonly line: number;
  /** Where it lives in the program: a folder per page, so that snippets of a page can import each other. */
  readonly path: string;
  readonly code: string;
  /** For each line of `code`, its line in the page. */
  readonly lines: readonly number[];
  readonly runs: boolean;
  /** The text of a ```` ```text output ```` fence that follows a snippet that runs. */
  readonly output: string | undefined;
}

interface Fence {
  readonly words: readonly string[];
  readonly firstLine: number;
  readonly code: readonly string[];
}

/** The pages whose snippets are promises. */
export function documentationPages(): string[] {
  const readmes = readdirSync(join(root, "readmes"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...readmes.filter((page) => page.endsWith(".md")).map((page) => join("readmes", page))];
}

export function readSnippets(page: string, text = readFileSync(join(root, page), "utf8")): Snippet[] {
  const snippets: Snippet[] = [];
  for (const { words, firstLine, code } of readFences(text)) {
    const [language = "", ...flags] = words;
    const last = snippets.at(-1);
    if (language === "text" && flags.includes("output") && last?.runs) {
      snippets[snippets.length - 1] = { ...last, output: code.join("\n") };
    }
    if (!/^(?:ts|typescript)$/.test(language) || flags.includes("ignore")) continue;

    const lines = code.map((_, index) => firstLine + index);
    const runs = flags.includes("run");
    if (flags.includes("continue") && last) {
      const joined = { code: `${last.code}\n${code.join("\n")}`, lines: [...last.lines, ...lines] };
      snippets[snippets.length - 1] = { ...last, ...joined, runs: runs || last.runs };
      continue;
    }
    const name = /^\/\/ file: (\S+)/.exec(code[0] ?? "")?.[1] ?? `line-${firstLine}.ts`;
    const path = `${page}.snippets/${name}`;
    snippets.push({ page, line: firstLine, path, code: code.join("\n"), lines, runs, output: undefined });
  }
  return snippets;
}

function readFences(text: string): Fence[] {
  const fences: Fence[] = [];
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const [, indent, ticks, info] = /^(\s*)(`{3,})(.*)$/.exec(lines[index] ?? "") ?? [];
    if (indent === undefined || ticks === undefined) continue;
    const firstLine = index + 2;
    const code: string[] = [];
    for (index += 1; index < lines.length && lines[index]?.trim() !== ticks; index += 1) {
      code.push((lines[index] ?? "").slice(indent.length));
    }
    fences.push({ words: (info ?? "").trim().split(/\s+/), firstLine, code });
  }
  return fences;
}
