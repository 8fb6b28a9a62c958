import { isRunnerError } from "../../../errors/defineError";
import { normalizeError } from "../../../errors/normaliseThrown";
import { run } from "../../index";
import type { FoundRoot } from "./chooseRoots";
import type { Finding } from "./finding";
import { findSilentChanges, type SilentChanges } from "./silentChanges";

/** Dry-runs a root with the options it is run with, and compares its plan with that of 5.2. */
export async function examineRoot(found: FoundRoot): Promise<SilentChanges> {
  const findings = await dryRun(found);
  const changes = compare(found);
  return { ids: changes.ids, findings: [...findings, ...changes.findings] };
}

async function dryRun({ root, options = {} }: FoundRoot): Promise<Finding[]> {
  const { logs: _logs, signal: _signal, ...kept } = options;
  try {
    await boot(root, kept);
    return [];
  } catch (error) {
    if (!(error instanceof TypeError) || Object.keys(kept).length === 0) return problemsOf(error).map(toFinding);
    // An option is refused before anything of the application is looked at.
    const refused: Finding = { severity: "required", rule: "runOption", message: firstLine(error), ids: [root.id] };
    return [refused, ...(await dryRun({ root, from: "run(...)" }))];
  }
}

async function boot(root: FoundRoot["root"], options: object): Promise<void> {
  const quiet = { dryRun: true, shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } };
  // What an application gives is checked by `run` itself.
  const result = await run(root as Parameters<typeof run>[0], { ...options, ...quiet });
  await result.dispose();
}

function compare({ root }: FoundRoot): SilentChanges {
  try {
    return findSilentChanges(root);
  } catch {
    // The dry run has reported what keeps the definitions from being read.
    return { findings: [], ids: [] };
  }
}

const problemsOf = (error: unknown): readonly unknown[] =>
  error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : [error];

function toFinding(problem: unknown): Finding {
  const { message } = normalizeError(problem);
  const [first = ""] = message.split("\n");
  const fix = /\bfix: ([^\n]*)/.exec(message)?.[1];
  const known = isRunnerError(problem) ? { error: problem.id, ids: idsIn(problem.data) } : {};
  return { severity: "required", rule: "boot", message: first, ...(fix !== undefined && { fix }), ...known };
}

/** Ids in the data of an error; the definition to change is the one that needs, uses or owns. */
function idsIn(data: unknown): string[] {
  if (typeof data !== "object" || data === null) return [];
  const fields = data as Record<string, unknown>;
  const inOrder = ["neededBy", "usedBy", "source", "owner", "overriddenBy", "owners", "id", "middlewareId"];
  return inOrder.flatMap((field) => fields[field]).filter((id) => typeof id === "string");
}

const firstLine = (error: unknown): string => normalizeError(error).message.split("\n", 1)[0] ?? "";
