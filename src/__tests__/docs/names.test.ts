import { readFileSync } from "node:fs";
import { join } from "node:path";
import golden from "../packaging/exports.golden.json";
import { documentationPages } from "../support/readSnippets";
import { root } from "../support/root";

const guide = documentationPages()
  .map((page) => readFileSync(join(root, page), "utf8"))
  .join("\n");

/** Helpers of the catalogue are listed by the id of their error. */
const spellings = (name: string): string[] => [name, `runner.errors.${name.replace(/Error$/, "")}`];

const isMentioned = (name: string): boolean =>
  spellings(name).some((spelling) => new RegExp(`(?<![\\w$])${spelling}(?![\\w$])`).test(guide));

it.each(Object.entries(golden))("every value that %s exports has a place in the guide", (_entry, { values }) => {
  expect(values.filter((name) => !isMentioned(name))).toEqual([]);
});
