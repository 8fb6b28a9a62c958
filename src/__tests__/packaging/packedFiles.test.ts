import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { documentationPages } from "../support/readSnippets";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";
import { root } from "../support/root";

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

/** What npm would publish. */
async function readPacked(): Promise<Packed> {
  const run = promisify(execFile);
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const [packed] = JSON.parse(stdout) as [{ unpackedSize: number; files: readonly { path: string }[] }];
  return { unpackedSize: packed.unpackedSize, files: packed.files.map(({ path }) => path) };
}

let packed: Packed;
beforeAll(async () => {
  await ensureBuilt();
  packed = await readPacked();
}, buildTimeoutMs);

it("the package ships whatever its pages link to, and no test", () => {
  const { files } = packed;
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

it("the package takes less than 3.65 MB, unpacked", () => {
  expect(packed.unpackedSize).toBeLessThan(3_650_000);
});

it("the package ships no file that names the folder it was built in", () => {
  const naming = packed.files.filter((path) => readFileSync(join(root, path), "utf8").includes(root));

  expect(naming).toEqual([]);
});

it("the package ships no source map that leads to a file which is not there", () => {
  interface SourceMap {
    readonly sources: readonly string[];
    readonly sourcesContent?: readonly (string | null)[];
  }
  const missing = packed.files
    .filter((path) => path.endsWith(".map"))
    .flatMap((path) => {
      const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(root, path), "utf8")) as SourceMap;
      return sources.filter((_source, index) => sourcesContent[index] == null).map((source) => `${path} → ${source}`);
    });
  const referring = packed.files
    .filter((path) => /\.[cm]?js$/.test(path))
    .flatMap((path) => {
      const [, map] = /^\/\/# sourceMappingURL=(.*)$/m.exec(readFileSync(join(root, path), "utf8")) ?? [];
      return map === undefined ? [] : [join(dirname(path), map)];
    });

  expect(missing).toEqual([]);
  expect(referring.filter((path) => !packed.files.includes(path))).toEqual([]);
});

it("the package ships CommonJS that calls no helper for ?. and ??, names its functions, and is strict", () => {
  const files = packed.files.filter((path) => path.endsWith(".cjs"));
  const texts = files.map((path) => readFileSync(join(root, path), "utf8"));

  expect(files).not.toEqual([]);
  expect(files.filter((_path, index) => /_(?:optionalChain|nullishCoalesce)\b/.test(texts[index]!))).toEqual([]);
  expect(files.filter((_path, index) => !texts[index]!.startsWith('"use strict";'))).toEqual([]);
  expect(texts.join("")).toContain("function createTunnelClient(");
});

it("the package ships no module with a line that ends behind a mark for bundlers, since return would end there", () => {
  const modules = packed.files.filter((path) => path.endsWith(".js"));
  const ending = modules.filter((path) => /@__PURE__ *\*\/$/m.test(readFileSync(join(root, path), "utf8")));

  expect(modules).not.toEqual([]);
  expect(ending).toEqual([]);
});

it("the package ships CommonJS that ES modules can import names from", async () => {
  const paths = packed.files.filter((path) => /(?:^|\/)(?:index|createFile)\.cjs$/.test(path));
  for (const path of paths) {
    const file = join(root, path);
    const program = `
      import * as named from ${JSON.stringify(file)};
      console.log(Object.keys(named).filter((name) => name !== "default" && name !== "module.exports").join());
      console.log(Object.keys(named.default).join());`;
    const [byName, ofDefault] = (await runProgram(["--input-type=module", "-"], { input: program })).stdout.split("\n");

    expect([path, byName?.split(",").sort()]).toEqual([path, ofDefault?.split(",").sort()]);
  }
});
