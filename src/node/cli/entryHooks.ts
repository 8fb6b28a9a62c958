/**
 * Build entry `cli/entryHooks`: the module hooks under which a command loads an application. Node 20 runs them in a
 * thread of their own, newer versions in that of the application.
 */
import type { InitializeHook, LoadHook, ResolveHook } from "node:module";

/** What the hooks are given when they are registered. */
export interface RedirectData {
  /** By specifier: the files of this copy. */
  readonly targets: Record<
    string,
    {
      /** File URL of the ES module. */
      readonly import: string;
      /** Path of the CommonJS module. */
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
const marker = "?dry-run";

/** Given once, before any hook is called. */
const redirect: RedirectData = { targets: {}, missingNames: [] };

export const initialize: InitializeHook<RedirectData> = (data) => {
  Object.assign(redirect, data);
};

export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const target = redirect.targets[specifier];
  // What `require` loads, the command replaces by itself: these hooks would not see it in Node 20.
  if (target === undefined || context.conditions.includes("require")) return nextResolve(specifier, context);
  const url = target.hasRun ? target.import + marker : target.import;
  return { url, format: "module", shortCircuit: true };
};

export const load: LoadHook = (url, context, nextLoad) =>
  url.endsWith(marker)
    ? { format: "module", source: moduleOf(url.slice(0, -marker.length)), shortCircuit: true }
    : nextLoad(url, context);

const newRun = 'globalThis[Symbol.for("@bluelibs/runner/cli.dryRun")]';

function moduleOf(original: string): string {
  const standIns = redirect.missingNames.filter((name) => identifier.test(name)).map((name) => `, missing as ${name}`);
  // An export by name stands before those of `export *`.
  return `export * from ${JSON.stringify(original)};
const run = ${newRun};
const missing = undefined;
export { run${standIns.join("")} };`;
}
