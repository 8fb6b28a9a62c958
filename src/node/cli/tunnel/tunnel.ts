import { nearestName } from "../../../lib/nearestName";
import { printable } from "../printable";
import { UsageError } from "../usageError";
import type { Command } from "./command";
import { exposeCommand, pullCommand } from "./driverCommands";
import { describeFailure } from "./failure";
import { operatorCommands } from "./operatorCommands";
import { createOutput } from "./output";
import { relayCommand } from "./relayCommand";
import { requestsListCommand } from "./requestsCommand";

/** In the order of the help. */
export const tunnelCommands: readonly Command[] = [
  relayCommand,
  exposeCommand,
  pullCommand,
  ...operatorCommands,
  requestsListCommand,
];

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h";

/** `runner tunnel …`. @returns the exit code @throws {UsageError} the arguments make no sense */
export async function tunnel(args: readonly string[]): Promise<number> {
  const [first = "", second = ""] = args;
  const group = tunnelCommands.filter(({ name }) => name.startsWith(`${first} `));
  const isGroup = group.length > 0;
  if (isHelp(first) || (isGroup && isHelp(second))) {
    createOutput(false).print(isGroup ? helpOf(`tunnel ${first}`, group) : helpOf("tunnel", tunnelCommands));
    return 0;
  }
  const name = isGroup ? `${first} ${second}` : first;
  const command = tunnelCommands.find((each) => each.name === name);
  if (command === undefined) throw unknownCommand(name.trim(), isGroup ? first : undefined);

  let output = createOutput(false);
  try {
    return await command.start(args.slice(isGroup ? 2 : 1), (isJson) => (output = createOutput(isJson)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { exitCode, code, message } = describeFailure(error);
    output.note({ error: { code, message } }, printable(message));
    return exitCode;
  }
}

/** @param group that its first word is, as in `sessions list` */
function unknownCommand(name: string, group: string | undefined): UsageError {
  const path = group === undefined ? "runner tunnel" : `runner tunnel ${group}`;
  const help = `${path} --help lists the commands.`;
  const last = group === undefined ? name : name.slice(group.length).trim();
  if (last === "" || last.startsWith("-")) return new UsageError(`A command is needed after ${path}.`, help);
  const nearest = nearestName(
    name,
    tunnelCommands.map((each) => each.name),
  );
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  return new UsageError(`There is no command "tunnel ${name}".${hint}`, help);
}

function helpOf(path: string, commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `Usage: runner ${path} <command> [options]`,
    "",
    ...commands.flatMap(({ name, about, example }) => [`  ${name.padEnd(width)}  ${about}`, `    ${example}`]),
    "",
    "--help behind a command prints its options. --json prints one JSON object per line.",
    "",
    "Exit codes: 0 done, 1 failed, 2 the command cannot be carried out as given, 3 refused by credentials or policy,",
    "4 not found, 5 the relay cannot be reached.",
  ].join("\n");
}
