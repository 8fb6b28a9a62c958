import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as nodeEntry from "../../index";
import * as mainEntry from "../../../late";
import type { PackageInfo } from "../packageInfo";

export const packageName = "@bluelibs/runner";

/** What this version exports, as an application sees it. */
export interface PublicApi {
  /** `.`, `./node`, … */
  readonly entries: readonly string[];
  readonly main: EntryNames;
  readonly node: EntryNames;
  /** The `globals` of both entries. */
  readonly mainGlobals: object;
  readonly nodeGlobals: object;
}

export interface EntryNames {
  readonly values: ReadonlySet<string>;
  /** Values and types. */
  readonly all: ReadonlySet<string>;
}

/** Reads the exports from the entries and from the declarations for CommonJS, which those for ES modules pass on. */
export function readPublicApi({ folder, exports = {} }: PackageInfo): PublicApi {
  const main = namesOf(mainEntry, join(folder, "dist/index.d.cts"));
  const node = namesOf(nodeEntry, join(folder, "dist/node/index.d.cts"));
  return {
    entries: Object.keys(exports),
    main,
    // The declarations of the superset pass on those of the main entry.
    node: { values: node.values, all: new Set([...main.all, ...node.all]) },
    mainGlobals: mainEntry.globals,
    nodeGlobals: nodeEntry.globals,
  };
}

function namesOf(entry: object, declarations: string): EntryNames {
  const values = new Set(Object.keys(entry));
  return { values, all: new Set([...values, ...declaredNames(declarations)]) };
}

/** Names that a declaration file exports, itself or from files that it passes on. */
function declaredNames(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(file, "utf8");
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = ""]) =>
    list.split(",").flatMap((item) => /(?:^|\s)([\w$]+)\s*$/.exec(item)?.[1] ?? []),
  );
  const passedOn = [...text.matchAll(/^export \* from ["'](\.[^"']*)["']/gm)].flatMap(([, path = ""]) =>
    declaredNames(join(dirname(file), path.replace(/\.([cm]?)js$/, ".d.$1ts")), seen),
  );
  return [...listed, ...passedOn];
}
