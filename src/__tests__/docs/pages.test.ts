import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { documentationPages } from "../support/readSnippets";
import { anchorsOf, linksOf } from "../support/markdown";
import { root } from "../support/root";

const read = (page: string): string => readFileSync(join(root, page), "utf8");
const guidePages = documentationPages();
const sourceFiles = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("src", file));
const pages = [...guidePages, "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

it("every page of the guide has 300 lines or less", () => {
  const long = guidePages.filter((page) => read(page).trimEnd().split("\n").length > 300);

  expect(long).toEqual([]);
});

it("pages link only to files and headings that exist", () => {
  const broken = pages.flatMap((page) =>
    linksOf(read(page))
      .filter(({ path, anchor }) => {
        const target = path === "" ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(root, target))) return true;
        if (anchor === "" || statSync(join(root, target)).isDirectory()) return false;
        return !target.endsWith(".md") || !anchorsOf(read(target)).has(anchor);
      })
      .map(({ link }) => `${page} → ${link}`),
  );

  expect(broken).toEqual([]);
});

it("comments of the source mention only pages of the guide that exist", () => {
  const mentioned = sourceFiles.flatMap((file) =>
    [...read(file).matchAll(/readmes\/[\w/.-]+\.md/g)].map(([page]) => ({ file, page })),
  );

  expect(mentioned.length).toBeGreaterThan(10);
  expect(mentioned.filter(({ page }) => !existsSync(join(root, page)))).toEqual([]);
});

it("every page of the guide is reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const { path } of linksOf(read(page))) {
      const target = normalize(join(dirname(page), path));
      if (target.endsWith(".md") && existsSync(join(root, target))) reached.add(target);
    }
  }

  expect(guidePages.filter((page) => !reached.has(page))).toEqual([]);
});
