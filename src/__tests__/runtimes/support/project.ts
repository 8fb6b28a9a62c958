import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** The folder that `createProject` made. */
export function projectFolder(): string {
  const folder = process.env["RUNNER_PROJECT"];
  if (folder === undefined) throw new Error("There is no project: these tests need `npm run test:runtimes`.");
  return folder;
}

/** A program of the project, running. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything it wrote so far, to both streams. */
  readonly output: () => string;
  /** Resolves with what the pattern captures of the first line that it matches; fails when the program ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts a command in the project. Disposing kills what is left of it. */
export function startProgram(command: readonly string[], { env, cwd = projectFolder() }: ProgramOptions = {}): Program {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { cwd, env: { ...cleanEnvironment(), ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const follow = (stream: Readable): void => {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  };
  follow(child.stdout);
  follow(child.stderr);
  let hasEnded = false;
  const ended = once(child, "close").then(([code, signal]) => {
    hasEnded = true;
    for (const check of waiting) check();
    return (code ?? signal) as number | NodeJS.Signals | null;
  });
  return {
    child,
    output: () => output,
    ended,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
          if (found === undefined && !hasEnded) return;
          waiting.delete(check);
          if (found === undefined)
            reject(new Error(`"${command.join(" ")}" ended without ${String(pattern)}:\n${output}`));
          else resolve(found[1] ?? "");
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Ours without what jest sets: a program under test is an application of its own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NODE_ENV, JEST_WORKER_ID, NODE_OPTIONS, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1" };
}
