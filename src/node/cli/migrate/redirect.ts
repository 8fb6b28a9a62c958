import nodeModule, { createRequire, register, type LoadHook, type ResolveHook } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { initialize, load, resolve, type RedirectData } from "../entryHooks";
import type { PackageInfo } from "../packageInfo";
import { packageName } from "./publicApi";

/** Where the code that the hooks serve in place of an entry finds `run`. */
export const dryRunSymbol: symbol = /* @__PURE__ */ Symbol.for("@bluelibs/runner/cli.dryRun");

type Run = (root: unknown, options?: unknown) => Promise<unknown>;

/** Parts of Node's module loader that the types of Node 20 do not have. */
interface ModuleLoader {
  /** What `require` goes through. */
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  /** From Node 22.15 on: hooks that run in this thread. */
  registerHooks?(hooks: { readonly resolve: ResolveHook; readonly load: LoadHook }): void;
}

const loader = nodeModule as unknown as ModuleLoader;

/**
 * Makes every import of the package, whichever version is installed, an import of this copy with `run` replaced.
 *
 * The main entry also has what 5.x exported from it under Node. Names that this version lacks are `undefined`: an import
 * of one would keep an ES module from loading, and everything else from being looked at.
 */
export function redirectPackage(
  { folder, exports = {} }: PackageInfo,
  run: Run,
  missingNames: readonly string[],
): void {
  const targets: RedirectData["targets"] = {};
  for (const entry of Object.keys(exports)) {
    const target = entry === "./package.json" ? undefined : targetsOf(exports[entry]);
    const superset = [".", "./edge", "./defs"].includes(entry) ? targetsOf(exports["./node"]) : target;
    if (superset === undefined) continue;
    targets[packageName + entry.slice(1)] = {
      import: pathToFileURL(join(folder, superset.import)).href,
      require: join(folder, superset.require),
      hasRun: [".", "./edge", "./defs", "./node"].includes(entry),
    };
  }
  Object.defineProperty(globalThis, dryRunSymbol, { value: run });
  const data: RedirectData = { targets, missingNames };
  if (loader.registerHooks !== undefined) {
    void initialize(data);
    loader.registerHooks({ resolve, load });
  } else {
    register("./entryHooks.js", { parentURL: pathToFileURL(join(folder, "dist/cli/")), data });
  }
  redirectRequire(targets, run);
}

/** The files behind an entry of `exports`. */
function targetsOf(conditions: unknown): { readonly import: string; readonly require: string } | undefined {
  const { import: esm, require: cjs } = (conditions ?? {}) as Partial<Record<string, { readonly default?: string }>>;
  return esm?.default !== undefined && cjs?.default !== undefined
    ? { import: esm.default, require: cjs.default }
    : undefined;
}

function redirectRequire(targets: RedirectData["targets"], run: Run): void {
  const require = createRequire(import.meta.url);
  const loadOriginal = loader._load;
  const replaced = new Map<string, object>();
  loader._load = function (request, parent, isMain) {
    const target = targets[request];
    if (target === undefined) return loadOriginal.call(this, request, parent, isMain);
    const known = replaced.get(target.require);
    if (known !== undefined) return known;
    const original = require(target.require) as object;
    const descriptors = Object.getOwnPropertyDescriptors(original);
    const exports = target.hasRun
      ? Object.defineProperties({}, { ...descriptors, run: { value: run, enumerable: true } })
      : original;
    replaced.set(target.require, exports);
    return exports;
  };
}
