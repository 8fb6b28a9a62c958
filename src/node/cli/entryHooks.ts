/** Build entry `cli/entryHooks`: the module hooks under which a command loads an application. They run in a thread. */
import type { InitializeHook, LoadHook, ResolveHook } from "node:module";

/** What the hooks are given when they are registered. */
export interface RedirectData {
  /** By specifier: the files of this copy. */
  readonly targets: Record<
    string,
    {
      /** A file URL. */
      readonly import: string;
      /** A path. */
      readonly require: string;
      /** Whether it exports `run`, which is replaced. */
      readonly hasRun: boolean;
    }
  >;
  /** Exported as `undefined`. */
  readonly missingNames: readonly string[];
}

const identifier = /^[A-Za-z_$][\w$]*$/;

/** Marks the URLs of modules that are written here. */
const marker = "?runner-dry-run";

/** The thread has them for itself, and they are given once. */
const redirect: RedirectData = { targets: {}, missingNames: [] };

export const initialize: InitializeHook<RedirectData> = (data) => {
  Object.assign(redirect, data);
};

export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const target = redirect.targets[specifier];
  if (target === undefined) return nextResolve(specifier, context);
  const url = target.hasRun ? target.import + marker : target.import;
  return { url, format: "module", shortCircuit: true };
};

export const load: LoadHook = (url, context, nextLoad) => {
  if (!url.endsWith(marker)) return nextLoad(url, context);
  const original = JSON.stringify(url.slice(0, -marker.length));
  // An export by name stands before those of `export *`.
  const standIns = redirect.missingNames.filter((name) => identifier.test(name)).map((name) => `, missing as ${name}`);
  const source = `export * from ${original};
const run = globalThis[Symbol.for("@bluelibs/runner/cli.dryRun")];
const missing = undefined;
export { run${standIns.join("")} };`;
  return { format: "module", source, shortCircuit: true };
};
