import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { ensureBuilt } from "../../support/ensureBuilt";
import { root } from "../../support/root";
import { findRuntime, runtimeNames, runtimesFolder } from "./runtimes";

const run = promisify(execFile);

/**
 * Once per run of jest: a project in a temporary folder, with the package in it as npm would publish it, what the package
 * depends on, and the programs of the tests. Its path is in the variable that `projectFolder` reads.
 */
export default async function createProject(): Promise<void> {
  runtimeNames.forEach(findRuntime);
  await ensureBuilt();
  const folder = await mkdtemp(join(tmpdir(), "runner-project-"));
  process.env["RUNNER_PROJECT"] = folder;
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await mkdir(join(folder, "node_modules/@bluelibs"), { recursive: true });
  await installPacked(folder);
  await linkPackages(folder);
  await buildPrograms(folder);
}

async function installPacked(folder: string): Promise<void> {
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const installed = join(folder, "node_modules/@bluelibs/runner");
  await mkdir(installed);
  await run("tar", ["-xzf", join(folder, filename), "-C", installed, "--strip-components=1"]);
  await copyDependencies(installed, join(folder, "node_modules"));
}

/** Copies what a package depends on from the root's installation, whose versions are locked. */
async function copyDependencies(from: string, modules: string): Promise<void> {
  const { dependencies = {} } = JSON.parse(await readFile(join(from, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const source = join(root, "node_modules", name);
    await cp(source, join(modules, name), { recursive: true });
    await copyDependencies(source, modules);
  }
}

/** Makes the other packages of `.ci/runtimes` importable, and what of them the root has. */
async function linkPackages(folder: string): Promise<void> {
  const modules = join(runtimesFolder, "node_modules");
  const names = (await readdir(modules)).filter((name) => !name.startsWith("."));
  const taken = new Set(await readdir(join(folder, "node_modules")));
  const links = names.filter((name) => !taken.has(name)).map((name) => [name, join(modules, name)] as const);
  const ofRoot = ["express", "fastify", "tsup", "typescript", "zod"].map(
    (name) => [name, join(root, "node_modules", name)] as const,
  );
  for (const [name, target] of new Map([...links, ...ofRoot])) {
    await symlink(target, join(folder, "node_modules", name), "dir");
  }
}

async function buildPrograms(folder: string): Promise<void> {
  // Those that import packages of `.ci/runtimes` are there, since here nothing can resolve them.
  const folders = [join(root, "src/__tests__/runtimes/programs"), join(runtimesFolder, "programs")];
  const names = await Promise.all(folders.map(async (path) => (await readdir(path)).map((name) => join(path, name))));
  const outExtension = { ".js": ".mjs" };
  // Without our own tsconfig, whose `paths` lead the package's name to its sources.
  const tsconfigRaw = {};
  await build({
    entryPoints: Object.fromEntries(names.flat().map((path) => [parse(path).name, path])),
    outdir: folder,
    outExtension,
    tsconfigRaw,
    bundle: true,
    packages: "external",
    format: "esm",
    target: "es2022",
    platform: "neutral",
    logLevel: "silent",
  });
}
