import { nearestName } from "../../../lib/nearestName";
import { printable } from "../printable";
import { UsageError } from "../usageError";
import type { Command } from "./command";
import type { Failure } from "./failure";
import { createOutput } from "./output";
import { Stopped } from "./stopSignal";

/** Commands whose names begin with the same words. */
export interface CommandGroup {
  /** These words, as "tunnel". */
  readonly path: string;
  /** In the order of the help. */
  readonly commands: readonly Command[];
  /** Why a command failed. */
  readonly describeFailure: (error: unknown) => Failure;
  /** What the exit codes mean, in the help. */
  readonly exitCodes: string;
}

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h";

/** Runs a command of a group. @returns the exit code @throws {UsageError} the arguments make no sense */
export async function runGroup(group: CommandGroup, args: readonly string[]): Promise<number> {
  const { path, commands, describeFailure } = group;
  const [first = "", second = ""] = args;
  const inner = `${path} ${first}`;
  const members = commands.filter(({ name }) => name.startsWith(`${inner} `));
  const isInner = members.length > 0;
  if (isHelp(first) || (isInner && isHelp(second))) {
    createOutput(false).print(isInner ? helpOf({ ...group, path: inner, commands: members }) : helpOf(group));
    return 0;
  }
  const name = isInner ? `${inner} ${second}` : inner;
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw unknownCommand(group, name.trim(), isInner ? inner : path);
  return runCommand(command, args.slice(isInner ? 2 : 1), describeFailure);
}

/** Runs one command. @returns the exit code @throws {UsageError} the arguments make no sense */
export async function runCommand(
  command: Command,
  args: readonly string[],
  describeFailure: (error: unknown) => Failure,
): Promise<number> {
  let output = createOutput(false);
  try {
    return await command.start(args, (isJson) => (output = createOutput(isJson)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof Stopped) return error.exitCode;
    const { exitCode, code, message, ...facts } = describeFailure(error);
    output.note({ error: { code, message, ...facts } }, printable(message));
    return exitCode;
  }
}

/** @param parent the words that are known */
function unknownCommand({ path, commands }: CommandGroup, name: string, parent: string): UsageError {
  const help = `runner ${parent} --help lists the commands.`;
  const last = name.slice(parent.length).trim();
  if (last === "" || last.startsWith("-")) return new UsageError(`A command is needed after runner ${parent}.`, help);
  const nearest = nearestName(
    name.slice(path.length + 1),
    commands.map((each) => each.name.slice(path.length + 1)),
  );
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  return new UsageError(`There is no command "${name}".${hint}`, help);
}

function helpOf({ path, commands, exitCodes }: CommandGroup): string {
  const rows = commands.map(({ name, about, example }) => ({ name: name.slice(path.length + 1), about, example }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `Usage: runner ${path} <command> [options]`,
    "",
    ...rows.flatMap(({ name, about, example }) => [`  ${name.padEnd(width)}  ${about}`, `    ${example}`]),
    "",
    "--help behind a command prints its options. --json prints one JSON object per line.",
    "",
    exitCodes,
  ].join("\n");
}
