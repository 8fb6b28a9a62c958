import { statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ownPackage, findPackage } from "../packageInfo";
import { UsageError } from "../usageError";
import { checkSource } from "./checkSource";
import { createDefinitionIndex, type DefinitionIndex } from "./definitionIndex";
import { dryRunEntry } from "./dryRunEntry";
import type { DryRunReport } from "./dryRunReport";
import type { Finding } from "./finding";
import { packageName, readPublicApi } from "./publicApi";
import { formatReport, type MigrationReport } from "./report";
import { scanSources } from "./scanSources";

export const migrateCheckUsage = `Usage: runner migrate check [entry] [options]

Tells what an application of @bluelibs/runner 5.x has to change for this version, and what changes for it silently.
Reads the source files around the entry (without one: below the current folder), and dry-runs the entry's root.
Nothing initialises, and nothing listens.

  entry             the file that calls run(...), or that exports the root
  --export <name>   the export that is the root, where there are several
  --timeout <s>     seconds the entry may take to load; default 60
  --json            prints a report for programs
  --help            prints this

Exit codes: 0 nothing to do, 1 something to do or to look at, 2 the command cannot be carried out as given.`;

const maxFindings = 5000;

/** Where to read more about the command. */
export const migrateHelp = "runner migrate check --help has its options.";

const wrongUsage = (message: string): UsageError => new UsageError(message, migrateHelp);

/** `runner migrate check`. @returns the exit code @throws {UsageError} the arguments make no sense */
export async function migrateCheck(args: readonly string[], print: (text: string) => void): Promise<number> {
  const options = readOptions(args);
  if (options === "help") {
    print(migrateCheckUsage);
    return 0;
  }
  const report = await check(options);
  print(options.json ? JSON.stringify(report, undefined, 2) : formatReport(report));
  if (report.refusal !== undefined) return 2;
  return report.findings.length > 0 ? 1 : 0;
}

interface Options {
  /** Absolute path. */
  readonly entry?: string;
  readonly exportName?: string;
  readonly timeoutMs: number;
  readonly json: boolean;
}

function readOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  if (positionals.length > 1) throw wrongUsage(`One entry is checked at a time, got ${positionals.length}.`);
  const [entry] = positionals;
  const seconds = Number(values.timeout ?? 60);
  if (!(seconds > 0 && seconds <= 3600))
    throw wrongUsage(`--timeout must be a number of seconds up to 3600, got "${values.timeout}".`);
  if (values.export !== undefined && entry === undefined) throw wrongUsage("--export needs an entry.");
  return {
    ...(entry !== undefined && { entry: existingFile(entry) }),
    ...(values.export !== undefined && { exportName: values.export }),
    timeoutMs: seconds * 1000,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        export: { type: "string" },
        timeout: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw wrongUsage((error as Error).message);
  }
}

function existingFile(entry: string): string {
  const path = resolve(entry);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw wrongUsage(`There is no file "${entry}".`);
  if (!stats.isFile())
    throw wrongUsage(`"${entry}" is no file: name the file that calls run(...) or exports the root.`);
  if (!/\.[cm]?[jt]sx?$/.test(path)) throw wrongUsage(`"${entry}" is neither JavaScript nor TypeScript.`);
  return path;
}

async function check({ entry, exportName, timeoutMs }: Options): Promise<MigrationReport> {
  const own = ownPackage();
  const application = findPackage(entry === undefined ? process.cwd() : dirname(entry));
  const folder = entry === undefined ? process.cwd() : (application?.folder ?? dirname(entry));
  const api = readPublicApi(own);
  const definitions = createDefinitionIndex();
  const findings: Finding[] = [];
  const { files, notes } = scanSources(folder, (file) => {
    definitions.add(file);
    if (findings.length < maxFindings) findings.push(...checkSource(file, api));
  });

  const missingNames = [...new Set(findings.filter(isMissing).flatMap(({ name }) => name ?? []))];
  const dryRun =
    entry === undefined
      ? undefined
      : await dryRunEntry({ entry, missingNames, timeoutMs, ...(exportName !== undefined && { exportName }) });
  const placed = (dryRun?.findings ?? []).map((finding) => place(finding, definitions, folder));
  const events = dryRun === undefined ? [] : unregisteredEvents(dryRun, definitions);
  const range = application?.rangeOf(packageName);
  return {
    version: own.version ?? "unknown",
    ...(application?.name !== undefined && { application: application.name }),
    ...(range !== undefined && { installedRange: range }),
    folder,
    ...(entry !== undefined && { entry: relative(folder, entry).split(sep).join("/") }),
    files,
    roots: dryRun?.roots ?? [],
    findings: [...findings, ...placed, ...events].slice(0, maxFindings),
    notes: [...notes, ...(dryRun?.notes ?? noEntryNotes)],
    ...(dryRun?.refusal !== undefined && { refusal: dryRun.refusal }),
  };
}

const isMissing = ({ rule }: Finding): boolean => rule === "notExported" || rule === "typeOnly";

const noEntryNotes = [
  "Without an entry there was no dry run: boot problems and silent changes of the application were not looked for.",
];

/** Says where in the source to look: where the first of its ids is made, or the file that an error names. */
function place(finding: Finding, definitions: DefinitionIndex, folder: string): Finding {
  if (finding.file !== undefined) {
    const path = finding.file.startsWith("file:") ? fileURLToPath(finding.file) : finding.file;
    return { ...finding, file: relative(folder, path).split(sep).join("/") };
  }
  for (const id of finding.ids ?? []) {
    const found = definitions.find(id);
    if (found !== undefined) return { ...finding, ...found };
  }
  return finding;
}

/** Events that are made in the source, and that no root registers. */
function unregisteredEvents({ ids, findings }: DryRunReport, definitions: DefinitionIndex): Finding[] {
  // Where the registrations could not be read, all events would be missing.
  if (ids.length === 0) return [];
  const known = new Set([...ids, ...findings.flatMap((finding) => finding.ids ?? [])]);
  return [...definitions.events]
    .filter((id) => !known.has(id))
    .map((id) => {
      const message = `The event "${id}" is not registered: emitting it rejects, where 5.x ran the hooks of every event.`;
      const fix = `add it to .register([...]) if the application emits it.`;
      return { severity: "silent", rule: "unregisteredEvent", message, fix, ids: [id], ...definitions.find(id) };
    });
}
