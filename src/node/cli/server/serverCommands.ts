import type { Command } from "../command/command";
import { runCommand } from "../command/runGroup";
import { callCommand } from "./callCommand";
import { doctorCommand } from "./doctorCommand";
import { describeFailure } from "./failure";
import { lsCommand } from "./lsCommand";
import { tailCommand } from "./tailCommand";

/** In the order of the help. */
export const serverCommands: readonly Command[] = [lsCommand, callCommand, tailCommand, doctorCommand];

/** `runner ls`, `runner call`, … @returns the exit code @throws {UsageError} the arguments make no sense */
export function runServerCommand(name: string, args: readonly string[]): Promise<number> {
  const command = serverCommands.find((each) => each.name === name) as Command;
  return runCommand(command, args, describeFailure);
}
