import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "./root";

const { NODE_ENV: _mode, RUNNER_TOKEN: _token, ...environment } = process.env;

interface CommandOptions {
  /** What comes over standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** `npx @bluelibs/runner …` of the build, without an environment of tests. */
export const startRunner = (args: readonly string[], { env = {}, cwd = root }: Omit<CommandOptions, "input"> = {}) =>
  spawn(process.execPath, [join(root, "dist/cli.js"), ...args], { cwd, env: { ...environment, ...env } });

/** The same, to its end. */
export async function runRunner(args: readonly string[], { input = "", ...options }: CommandOptions = {}) {
  const child = startRunner(args, options);
  const closed = once(child, "close");
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await closed) as [number];
  return { exitCode, stdout, stderr };
}
