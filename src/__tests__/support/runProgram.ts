import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { root } from "./root";

/** What a program left behind. */
export interface Outcome {
  /** `null` when it had to be stopped. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly input?: string;
  /** After it the program is killed. Default 50 s. */
  readonly timeoutMs?: number | undefined;
  /** What ends it then. Default SIGKILL. */
  readonly killSignal?: NodeJS.Signals;
  /** Beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs Node in the root, where our own name leads to the built package. */
export async function runProgram(
  args: readonly string[],
  { input = "", timeoutMs = 50_000, killSignal = "SIGKILL", env = {} }: ProgramOptions = {},
): Promise<Outcome> {
  const limits = { timeout: timeoutMs, killSignal };
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, ...limits });
  const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  child.stdin.on("error", () => {}); // a program may end without reading its input
  child.stdin.end(input);
  const [exitCode, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
