import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { documentationPages } from "../support/checkSnippets";
import { root } from "../support/virtualProgram";

/** What npm would publish, `dist` aside. */
async function packedFiles(): Promise<readonly string[]> {
  const run = promisify(execFile);
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const [packed] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
  return packed.files.map(({ path }) => path);
}

it("ships whatever its pages link to, and no test", async () => {
  const files = await packedFiles();
  const isShipped = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`));

  const broken = documentationPages().flatMap((page) => {
    const links = readFileSync(join(root, page), "utf8").matchAll(/\]\((\.{1,2}\/[^)#\s]*)/g);
    const targets = [...links].map(([, link = ""]) => normalize(join(dirname(page), link)).replace(/\/$/, ""));
    return targets.filter((target) => !isShipped(target)).map((target) => `${page} → ${target}`);
  });

  // For those who work on the package, and they have all of it.
  const forContributors = ["README.md → CONTRIBUTING.md", "README.md → ARCHITECTURE.md"];
  expect(broken.filter((link) => !forContributors.includes(link))).toEqual([]);
  expect(files.filter((file) => file.includes(".test."))).toEqual([]);
});
