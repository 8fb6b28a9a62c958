import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { findPackage } from "../packageInfo";

/** How Node loads an entry. */
export interface Loader {
  readonly nodeArgs: readonly string[];
  /** Whether `require` loads it, because the hooks of the loader are those of CommonJS. */
  readonly byRequire: boolean;
  /** Why it cannot be loaded, in a sentence that says what to do. */
  readonly refusal?: string;
}

interface Known {
  /** What is resolved from the application. */
  readonly module: string;
  readonly flag: "--import" | "--require";
}

/** Loaders of TypeScript, the one that reads most projects first. */
const known: readonly Known[] = [
  { module: "tsx", flag: "--import" },
  { module: "ts-node/register/transpile-only", flag: "--require" },
  { module: "@swc-node/register", flag: "--require" },
  { module: "esbuild-register", flag: "--require" },
];

/** Finds the TypeScript loader that an application has; JavaScript needs none. */
export function findLoader(entry: string): Loader {
  if (/\.[cm]?jsx?$/.test(entry)) return { nodeArgs: [], byRequire: false };
  const { resolve } = createRequire(entry);
  for (const { module, flag } of known) {
    const path = tryResolve(resolve, module);
    if (path === undefined || (flag === "--require" && loadsAsModule(entry))) continue;
    const isImport = flag === "--import";
    return { nodeArgs: [flag, isImport ? pathToFileURL(path).href : path], byRequire: !isImport };
  }
  if (stripsTypes()) return { nodeArgs: [], byRequire: false };
  const refusal =
    "The entry is TypeScript, and the application has no loader for it: install tsx, or name the compiled JavaScript.";
  return { nodeArgs: [], byRequire: false, refusal };
}

/** Whether Node takes a file for an ES module, which hooks of `require` never see. */
const loadsAsModule = (entry: string): boolean =>
  entry.endsWith(".mts") || (!entry.endsWith(".cts") && findPackage(dirname(entry))?.type === "module");

/** Node 22.18 and newer load TypeScript by themselves; the types of Node 20 do not know. */
const stripsTypes = (): boolean => Boolean((process.features as { typescript?: string | false }).typescript);

function tryResolve(resolve: NodeJS.RequireResolve, module: string): string | undefined {
  try {
    return resolve(module);
  } catch {
    return undefined;
  }
}
