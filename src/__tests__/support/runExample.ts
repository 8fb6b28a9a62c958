import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, type Outcome } from "./runProgram";
import { root } from "./root";

/** A command that a page tells to run from the root, and what it says the command prints. */
export interface ExampleRun {
  readonly command: string;
  readonly output: string;
}

/** The `sh` fences of a page that start Node, each with the `text` fence after it. */
export function readExampleRuns(page: string): ExampleRun[] {
  const text = readFileSync(join(root, page), "utf8");
  const runs = text.matchAll(/^```sh\n(node .*)\n```\n+```text\n([^]*?)\n```$/gm);
  return [...runs].map(([, command = "", output = ""]) => ({ command, output }));
}

/**
 * Runs a command as a page states it, against the built package.
 *
 * @param timeoutMs after it the program is killed. Default 50 s; those that start more processes take longer on a busy machine.
 */
export const runExample = ({ command }: ExampleRun, timeoutMs?: number): Promise<Outcome> =>
  runProgram(command.split(" ").slice(1), { timeoutMs });
