import type { Command } from "../command/command";
import { exposeCommand, pullCommand } from "./driverCommands";
import { describeFailure } from "./failure";
import { runGroup } from "../command/runGroup";
import { operatorCommands } from "./operatorCommands";
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

/** `runner tunnel …`. @returns the exit code @throws {UsageError} the arguments make no sense */
export const tunnel = (args: readonly string[]): Promise<number> =>
  runGroup({ path: "tunnel", commands: tunnelCommands, describeFailure, exitCodes }, args);

const exitCodes =
  "Exit codes: 0 done, 1 failed, 2 the command cannot be carried out as given, 3 refused by credentials or policy,\n" +
  "4 not found, 5 the relay cannot be reached.";
