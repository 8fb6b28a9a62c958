import { printable } from "../printable";
import type { DryRunReport } from "./dryRunReport";
import type { Finding } from "./finding";

/** What `runner migrate check --json` prints. */
export interface MigrationReport {
  /** Of this package. */
  readonly version: string;
  /** Name of the application's package. */
  readonly application?: string;
  /** What the application's package.json asks for. */
  readonly installedRange?: string;
  /** The folder that was read; files of findings are relative to it. */
  readonly folder: string;
  readonly entry?: string;
  /** How many source files were read. */
  readonly files: number;
  readonly roots: DryRunReport["roots"];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  /** Why the command could not be carried out as given. */
  readonly refusal?: string;
}

/** Of one heading; a terminal shows no more. `--json` has all. */
const maxPrinted = 200;

/** The report for people. */
export function formatReport(report: MigrationReport): string {
  const {
    application = "application",
    installedRange,
    version,
    files,
    entry,
    roots,
    findings,
    notes,
    refusal,
  } = report;
  const from = installedRange === undefined ? "" : `, which asks for ${installedRange}`;
  const lines = [`Checking ${application}${from}, against @bluelibs/runner ${version}.`];
  const dryRun = roots.map(({ id, from: source }) => `"${id}" (${source} of ${entry ?? ""})`).join(", ");
  lines.push(`Read ${files} source files${dryRun === "" ? "" : `; dry run of ${dryRun}`}.`);

  const required = findings.filter(({ severity }) => severity === "required");
  const silent = findings.filter(({ severity }) => severity === "silent");
  lines.push(...section("Has to change", required), ...section("Changes silently", silent));
  if (notes.length > 0) lines.push("", "Notes", ...notes.map((note) => `  ${note}`));
  if (refusal !== undefined) lines.push("", refusal);
  else if (findings.length === 0)
    lines.push("", entry === undefined ? "Nothing to do in the sources." : "Nothing to do.");
  else lines.push("", "What each of these means: readmes/MIGRATIONS.md.");
  return lines.map(printable).join("\n");
}

function section(title: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const lines = ["", `${title} (${findings.length})`];
  for (const { message, fix, file, line } of findings.slice(0, maxPrinted)) {
    const place = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}  `;
    lines.push(`  ${place}${message}`);
    if (fix !== undefined) lines.push(`      ${fix}`);
  }
  if (findings.length > maxPrinted) lines.push(`  and ${findings.length - maxPrinted} more; --json prints all.`);
  return lines;
}
