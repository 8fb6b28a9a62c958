import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../support/root";

/** A fence of a page. */
export interface Fence {
  readonly language: string;
  readonly code: string;
}

/** The fences of each section of a page, by the section's heading. */
export function readSections(page: string): ReadonlyMap<string, readonly Fence[]> {
  const [, ...sections] = readFileSync(join(root, page), "utf8").split(/^## /m);
  return new Map(
    sections.map((section) => {
      const [heading = ""] = section.split("\n", 1);
      const fences = [...section.matchAll(/^```(\w+).*\n([^]*?)\n```$/gm)];
      return [heading, fences.map(([, language = "", code = ""]) => ({ language, code }))];
    }),
  );
}

/** The name that the first line of a fence gives it: `// file: rollup.config.mjs`. */
export const fileNameOf = ({ code }: Fence): string | undefined => /^\/\/ file: (\S+)/.exec(code)?.[1];
