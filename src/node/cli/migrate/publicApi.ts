import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as nodeEntry from "../../index";
import * as mainEntry from "../../../index";
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

/** Reads the exports from the entries and from the declarations beside them. */
export function readPublicApi({ folder, exports = {} }: PackageInfo): PublicApi {
  const main = namesOf(mainEntry, join(folder, "dist/index.d.ts"));
  const node = namesOf(nodeEntry, join(folder, "dist/node/index.d.ts"));
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
  const all = new Set(values);
  for (const [, list = ""] of readFileSync(declarations, "utf8").matchAll(/^export \{([^}]*)\}/gm)) {
    for (const item of list.split(",")) {
      const [, name] = /(?:^|\s)([\w$]+)\s*$/.exec(item) ?? [];
      if (name !== undefined) all.add(name);
    }
  }
  return { values, all };
}
