#!/usr/bin/env node
/** Build entry `cli`, the command `runner`: finds the command and sets the exit code. */
import { nearestName } from "../../lib/nearestName";
import { migrateCheck, migrateCheckUsage, migrateHelp } from "./migrate/migrateCheck";
import { ExitCode } from "./exitCodes";
import { ownPackage } from "./packageInfo";
import { UsageError } from "./usageError";

const usage = `Usage: runner <command>

  migrate check [entry]   tells what an application of 5.x has to change for this version
  ls <url>                lists what may be called on a server
  call <url> <id>         calls a task and prints its result
  tail <url> <event…>     prints events as they are emitted
  doctor <url>            says why a server cannot be called, and the fix
  contract <command>      writes down what can be called, and compares it
  openapi <url | entry>   writes an OpenAPI document of what can be called
  events <command>        shows and replays the events that services of a NATS namespace have given up
  tunnel <command>        runs relays and drivers of reverse tunnels, and shows what goes through them

  --version               prints the version of this package
  --help                  prints this, or the help of a command`;

/** @returns the exit code, see `ExitCode` */
async function main(args: readonly string[]): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const [group, command, ...rest] = args;
  try {
    if (group === "migrate" && command === "check") return await migrateCheck(rest, print);
    if (group === "migrate" && (command === "--help" || command === "-h")) return (print(migrateCheckUsage), 0);
    if (group === "tunnel") {
      // Each command loads what it needs.
      const { tunnel } = await import("./tunnel/tunnel");
      return await tunnel(args.slice(1));
    }
    if (group === "ls" || group === "call" || group === "tail" || group === "doctor") {
      const { runServerCommand } = await import("./server/serverCommands");
      return await runServerCommand(group, args.slice(1));
    }
    if (group === "events") return await (await import("./events/eventsCommands")).events(args.slice(1));
    if (group === "contract") return await (await import("./contract/contractCommands")).contract(args.slice(1));
    if (group === "openapi") return await (await import("./contract/contractCommands")).openApi(args.slice(1));
    if (group === "--version" || group === "-v") return (print(ownPackage().version ?? "unknown"), 0);
    if (group === "--help" || group === "-h") return (print(usage), 0);
    throw unknownCommand(group, command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message, help } = error;
    const record = JSON.stringify({ error: { code: "USAGE", message, help } });
    process.stderr.write(args.includes("--json") ? `${record}\n` : `${message}\n\n${help}\n`);
    return ExitCode.usage;
  }
}

/** The first words of all commands. */
const groups = ["migrate", "ls", "call", "tail", "doctor", "contract", "openapi", "events", "tunnel"];

function unknownCommand(group = "", command = ""): UsageError {
  if (group === "" || group.startsWith("-")) return new UsageError("A command is needed.");
  if (group !== "migrate") return new UsageError(`There is no command "${group}".${hintOf(group, groups)}`);
  if (command === "" || command.startsWith("-")) {
    return new UsageError("A command is needed after runner migrate. There is one: check.", migrateHelp);
  }
  return new UsageError(`There is no command "migrate ${command}".${hintOf(command, ["check"])}`, migrateHelp);
}

function hintOf(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known);
  return nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
}

// A reader such as `head` has seen enough, which is no failure of the command.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  process.stderr.write(`Standard output cannot be written: ${error.message}.\n`);
  process.exit(ExitCode.failed);
});
process.exitCode = await main(process.argv.slice(2));
