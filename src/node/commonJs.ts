import { createRequire } from "node:module";

/** Where this module is, if it is an ES module: `import.meta.url`, put in by the build. */
declare const MODULE_URL: string | undefined;

/**
 * Imports a package that is CommonJS, in bundles as well.
 *
 * In bundles that are ES modules, esbuild turns a `require("node:assert")` of such a package into a look-up of the global
 * `require`, at the time of the call. Node has none there, and the first use of the package would fail with `Dynamic
 * require of "node:assert" is not supported`. So the bundle is given one.
 *
 * @returns what the package exports; where a bundle is split, names of a CommonJS package are on the default alone
 */
export async function importCommonJs<Exports>(load: () => Promise<{ default: Exports }>): Promise<Exports> {
  const scope = globalThis as { require?: unknown };
  const url = ownUrl();
  if (url !== undefined && isBundled(url) && scope.require === undefined) {
    Object.defineProperty(scope, "require", { value: createRequire(url), configurable: true, writable: true });
  }
  return (await load()).default;
}

const ownUrl = (): string | undefined => (typeof MODULE_URL === "string" ? MODULE_URL : undefined);

/** A package is in a folder of its name, with every package manager. */
const isBundled = (url: string): boolean => !url.includes("/@bluelibs/runner/");
