/** Build entry `cli/dryRun`: the process in which a command loads an application and dry-runs its root. */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Server } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { normalizeError } from "../../errors/normaliseThrown";
import type { RunOptions } from "../../runtime/run/options";
import { contractOfRoot } from "./contract/contractOfRoot";
import { chooseRoots, isRoot, type FoundRoot } from "./migrate/chooseRoots";
import type { DryRunReport, DryRunTask } from "./migrate/dryRunReport";
import { examineRoot } from "./migrate/examineRoot";
import type { Finding } from "./migrate/finding";
import { redirectPackage } from "./migrate/redirect";
import { ownPackage } from "./packageInfo";

/** How loading the entry ended, as far as it did. */
interface Loaded {
  readonly exports?: Record<string, unknown>;
  readonly failure?: unknown;
  /** It called `process.exit`. */
  readonly exitCode?: number;
}

/** For modules that load at the same time as one that calls `run` and waits for it. */
const graceMs = 1000;
const maxReportedFindings = 2000;

const exit = process.exit.bind(process);
const task = JSON.parse(process.argv[2] ?? "{}") as DryRunTask;
const given: FoundRoot[] = [];
const notes: string[] = [];

/** Loads the entry, without letting it run or listen. Resolves once nothing more is to come of it. */
async function loadEntry(): Promise<Loaded> {
  return new Promise((resolve) => {
    const takeRoot = (root: unknown, options?: unknown): Promise<never> => {
      if (isRoot(root)) given.push({ root, from: "run(...)", ...(isObject(options) && { options }) });
      setTimeout(() => resolve({}), graceMs).unref();
      // What follows a call of `run` in the application is not to happen.
      return new Promise(() => {});
    };
    redirectPackage(ownPackage(), takeRoot, task.missingNames);
    Server.prototype.listen = function () {
      return this;
    };
    const exitCalled = new Error("The entry called process.exit.");
    process.exit = (code) => {
      resolve({ exitCode: Number(code ?? process.exitCode ?? 0) });
      throw exitCalled;
    };
    process.on("uncaughtException", (error) => {
      if (error !== exitCalled && notes.length < 20) notes.push(`While the entry loaded: ${firstLine(error)}`);
    });
    // An entry that waits for `run` never settles, and leaves nothing to wait for.
    process.once("beforeExit", () => resolve({}));
    process.argv.splice(1, process.argv.length, task.entry);
    importEntry().then(
      (exports) => resolve({ exports }),
      (failure: unknown) => resolve({ failure }),
    );
  });
}

async function importEntry(): Promise<Record<string, unknown>> {
  if (!task.byRequire) return (await import(pathToFileURL(task.entry).href)) as Record<string, unknown>;
  const exports: unknown = createRequire(task.entry)(task.entry);
  return { ...(exports as object) };
}

const isObject = (value: unknown): value is RunOptions => typeof value === "object" && value !== null;

const firstLine = (error: unknown): string => normalizeError(error).message.split("\n", 1)[0] ?? "";

async function examine(loaded: Loaded): Promise<DryRunReport> {
  const failures = given.length === 0 ? failuresOf(loaded) : [];
  if (failures.length > 0) return { roots: [], ids: [], notes, findings: failures };
  const { roots, refusal } = chooseRoots(given, loaded.exports ?? {}, task.exportName);
  const [first] = roots;
  if (task.wantsContract === true && first !== undefined && refusal === undefined) return describeContract(first);
  const ids = new Set<string>();
  const findings: Finding[] = [];
  for (const found of roots) {
    const examined = await examineRoot(found);
    for (const id of examined.ids) ids.add(id);
    findings.push(...examined.findings);
  }
  return {
    roots: roots.map(({ root, from }) => ({ id: root.id, from })),
    ids: [...ids],
    findings: findings.slice(0, maxReportedFindings),
    notes,
    ...(refusal !== undefined && { refusal }),
  };
}

async function describeContract(found: FoundRoot): Promise<DryRunReport> {
  const empty = { roots: [{ id: found.root.id, from: found.from }], ids: [], notes };
  try {
    return { ...empty, findings: [], contract: await contractOfRoot(found) };
  } catch (error) {
    return { ...empty, findings: [{ severity: "required", rule: "boot", message: firstLine(error) }] };
  }
}

function failuresOf({ failure, exitCode }: Loaded): Finding[] {
  if (exitCode !== undefined) {
    const message = `The entry called process.exit(${exitCode}) before it called run(...).`;
    const fix = "give it the environment it needs to load, or name a file that only exports the root.";
    return [{ severity: "required", rule: "load", message, fix }];
  }
  if (failure === undefined) return [];
  const message = `The entry cannot be loaded: ${firstLine(failure)}`;
  // Node keeps the place of a syntax error in an ES module for itself.
  const fix = failure instanceof SyntaxError ? { fix: "node --check <file> shows the line." } : {};
  return [{ severity: "required", rule: "load", message, ...fix, ...placeOf(failure) }];
}

/** The first line of a stack that is in a file of the application. */
function placeOf(failure: unknown): { readonly file?: string; readonly line?: number } {
  const { stack = "" } = normalizeError(failure);
  const ours = join(ownPackage().folder, "dist");
  for (const [, path = "", line] of stack.matchAll(/(?:\(|at |^)((?:file:\/\/)?[^\s():]+(?::\\[^\s():]+)?):(\d+)/gm)) {
    if (!/^node:|node_modules/.test(path) && !path.includes(ours)) return { file: path, line: Number(line) };
  }
  return {};
}

const report = await loadEntry().then(examine);
writeFileSync(task.reportFile, JSON.stringify(report));
exit(0);
