import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "esbuild";

/** What is asked by name, with at most one argument. */
type Answers<A> = { readonly [K in keyof A]: (argument: never) => unknown };

/** A program in a process of its own, started the way applications are: without a loader that takes memory too. */
export interface Program<A extends Answers<A>> extends AsyncDisposable {
  /** One question at a time. Rejects when the program ends instead of answering. */
  ask<K extends keyof A & string>(question: K, ...argument: Parameters<A[K]>): Promise<ReturnType<A[K]>>;
  /** Where it puts its temporary files. */
  readonly tempDir: string;
  /** Ends it without a chance to do anything before. */
  kill(): void;
  /** Asks it to stop. @returns its exit code, or the signal that ended it, and what it told last as `farewell` */
  terminate<F>(): Promise<{ readonly exit: number | string | null; readonly farewell: F | undefined }>;
}

/**
 * Disposing ends the program.
 *
 * @param name of a file below this directory, without ending
 * @param env beside that of this process
 */
export async function startProgram<A extends Answers<A>>(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Program<A>> {
  const dir = await mkdtemp(join(tmpdir(), "runner-program-"));
  const outfile = join(dir, `${basename(name)}.cjs`);
  const tempDir = await mkdtemp(join(dir, "tmp-"));
  await build({
    entryPoints: [join(__dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    // It looks for its binary beside its own files.
    external: ["better-sqlite3"],
  });
  const found = { TMPDIR: tempDir, NODE_PATH: join(__dirname, "../../../examples/scale/node_modules") };
  const child = fork(outfile, { execArgv: ["--expose-gc"], env: { ...process.env, ...env, ...found } });
  const ended = once(child, "exit");
  const failed = ended.then(([code, signal]: (number | string | null)[]) => {
    throw new Error(`The ${name} ended with ${String(code ?? signal)}.`);
  });
  failed.catch(() => {});

  return {
    tempDir,
    kill: () => void child.kill("SIGKILL"),
    async terminate<F>() {
      let farewell: F | undefined;
      child.on("message", (message) => ({ farewell } = message as { farewell: F }));
      child.kill("SIGTERM");
      const [code, signal] = (await ended) as [number | null, string | null];
      return { exit: code ?? signal, farewell };
    },
    async ask(question, argument?: unknown) {
      const answered = once(child, "message");
      child.send({ question, argument });
      const [{ answer }] = (await Promise.race([answered, failed])) as [{ answer: never }];
      return answer;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
      await rm(dir, { recursive: true });
    },
  };
}
