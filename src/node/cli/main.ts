#!/usr/bin/env node
/** Build entry `cli`, the command `runner`: finds the command and sets the exit code. */
import { migrateCheck, migrateCheckUsage } from "./migrate/migrateCheck";
import { ownPackage } from "./packageInfo";
import { UsageError } from "./usageError";

const usage = `Usage: runner <command>

  migrate check [entry]   tells what an application of 5.x has to change for this version

  --version               prints the version of this package
  --help                  prints this, or the help of a command`;

/** @returns the exit code, see "Exit codes" in readmes/MIGRATE_CHECK.md */
async function main(args: readonly string[]): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const [group, command, ...rest] = args;
  try {
    if (group === "migrate" && command === "check") return await migrateCheck(rest, print);
    if (group === "migrate" && (command === "--help" || command === "-h")) return (print(migrateCheckUsage), 0);
    if (group === "--version" || group === "-v") return (print(ownPackage().version ?? "unknown"), 0);
    if (group === "--help" || group === "-h") return (print(usage), 0);
    const given = [group, command].filter((part) => part !== undefined).join(" ");
    throw new UsageError(given === "" ? "A command is needed." : `There is no command "${given}".`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\nrunner --help lists the commands and their options.\n`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
