import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a `package.json` says, as far as commands need it. */
export interface PackageInfo {
  readonly folder: string;
  readonly name?: string;
  readonly version?: string;
  readonly type?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  /** The range it asks for of a package, whether at run time, as a peer or for development. */
  rangeOf(dependency: string): string | undefined;
}

/** The nearest `package.json` at or above a folder; `undefined` where there is none that can be read. */
export function findPackage(from: string): PackageInfo | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return readPackage(folder, file);
    if (dirname(folder) === folder) return undefined;
  }
}

function readPackage(folder: string, file: string): PackageInfo | undefined {
  let json: Record<string, unknown>;
  try {
    json = { ...(JSON.parse(readFileSync(file, "utf8")) as object) };
  } catch {
    return undefined;
  }
  const textOf = (key: string) => (typeof json[key] === "string" ? { [key]: json[key] } : {});
  const { exports } = json;
  return {
    folder,
    ...textOf("name"),
    ...textOf("version"),
    ...textOf("type"),
    ...(typeof exports === "object" && exports !== null && { exports: exports as Record<string, unknown> }),
    rangeOf(dependency) {
      for (const list of ["dependencies", "peerDependencies", "devDependencies"]) {
        const range = (json[list] as Record<string, unknown> | undefined)?.[dependency];
        if (typeof range === "string") return range;
      }
      return undefined;
    },
  };
}

/** The package this command belongs to. */
export function ownPackage(): PackageInfo {
  const own = findPackage(dirname(fileURLToPath(import.meta.url)));
  if (own === undefined) throw new Error("The package.json of @bluelibs/runner is not above its dist folder.");
  return own;
}
