import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../../support/root";
import { projectFolder, startProgram } from "./project";
import { runtimesFolder } from "./runtimes";

/** Versions that the declarations are for: the oldest one, that of the repository, and the newest two. 7.0 is the native one. */
export const versions = ["5.4", "5.9", "6.0", "7.0"] as const;
export type Version = (typeof versions)[number];

/** The package of a version. */
export const packageOf = (version: Version): string => join(runtimesFolder, `node_modules/typescript-${version}`);

/** What a user's project has, at its strictest; the libraries that it uses are checked as well. */
export const strictOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: "es2022",
  lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  noEmit: true,
} as const;

/** Texts of the programs of `runtimes/types`. */
export const readProgram = (name: string): Promise<string> =>
  readFile(join(root, "src/__tests__/runtimes/types", name), "utf8");

/** A project below the one of the run, where the package is installed. @returns its folder */
export async function writeProject(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(projectFolder(), name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/**
 * Makes packages of the repository importable below a folder, and the packed one a copy of its own: what it refers to is looked for
 * beside it.
 */
export async function installBeside(folder: string, names: readonly string[]): Promise<void> {
  const installed = "node_modules/@bluelibs/runner";
  await cp(join(projectFolder(), installed), join(folder, installed), { recursive: true });
  for (const name of names) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, "node_modules", name), link, "dir");
  }
}

/** Runs a version of the compiler over a project. @returns what it said */
export async function compile(version: Version, folder: string, ...args: readonly string[]): Promise<string> {
  const command = [process.execPath, join(packageOf(version), "bin/tsc"), "-p", folder, "--pretty", "false", ...args];
  await using program = startProgram(command, { cwd: folder });
  await program.ended;
  return program.output();
}
