import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownPackage } from "../packageInfo";
import type { DryRunReport, DryRunTask } from "./dryRunReport";
import { findLoader } from "./findLoader";

export interface DryRunOptions {
  /** Absolute path. */
  readonly entry: string;
  readonly exportName?: string;
  /** What the sources import and this version does not export. */
  readonly missingNames: readonly string[];
  /** See `DryRunTask`. */
  readonly wantsContract?: boolean;
  /** After it the process is killed. */
  readonly timeoutMs: number;
}

const maxOutputChars = 4000;
const nothing = { roots: [], ids: [], notes: [] };

/** Loads an entry in a process of its own and reports on the roots it finds. */
export async function dryRunEntry({
  entry,
  exportName,
  missingNames,
  wantsContract,
  timeoutMs,
}: DryRunOptions): Promise<DryRunReport> {
  const loader = findLoader(entry);
  if (loader.refusal !== undefined) return { ...nothing, findings: [], refusal: loader.refusal };
  const folder = await mkdtemp(join(tmpdir(), "runner-migrate-"));
  try {
    const reportFile = join(folder, "report.json");
    const task: DryRunTask = {
      entry,
      byRequire: loader.byRequire,
      missingNames,
      reportFile,
      ...(exportName !== undefined && { exportName }),
      ...(wantsContract !== undefined && { wantsContract }),
    };
    const program = join(ownPackage().folder, "dist/cli/dryRun.js");
    const outcome = await runNode([...loader.nodeArgs, program, JSON.stringify(task)], timeoutMs);
    const report = await readReport(reportFile);
    return (
      report ?? {
        ...nothing,
        findings: [{ severity: "required", rule: "load", ...describeOutcome(outcome, timeoutMs) }],
      }
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was ended because it took too long. */
  readonly timedOut: boolean;
  /** The end of what it printed. */
  readonly output: string;
}

function runNode(args: readonly string[], timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-maxOutputChars)));
    }
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, timedOut: child.killed, output }));
  });
}

async function readReport(file: string): Promise<DryRunReport | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as DryRunReport;
  } catch {
    return undefined;
  }
}

function describeOutcome(
  { exitCode, signal, timedOut, output }: Outcome,
  timeoutMs: number,
): { message: string; fix: string } {
  const last = output.trim().split("\n").slice(-5).join(" | ");
  const printed = last === "" ? "" : ` It printed: ${last}`;
  if (timedOut) {
    const fix = "name a file that only exports the root, or give it more time with --timeout.";
    return { message: `The entry did not finish loading within ${timeoutMs / 1000} s.${printed}`, fix };
  }
  const fix = "name a file that only exports the root.";
  return { message: `The process that loaded the entry ended with ${signal ?? `code ${exitCode}`}.${printed}`, fix };
}
