import { runProgram } from "./runProgram";

/** Time for a `beforeAll` that builds, in ms: a build beside the tests of a busy machine takes minutes. */
export const buildTimeoutMs = 300_000;

/** Builds `dist` unless it is there and newer than its sources; safe to call from several test files at once. */
export async function ensureBuilt(): Promise<void> {
  const limits = { timeoutMs: buildTimeoutMs - 10_000, killSignal: "SIGTERM" } as const;
  const { exitCode, stderr } = await runProgram([".ci/ensureBuilt.mjs"], limits);
  if (exitCode !== 0) throw new Error(`The build failed.\n${stderr}`);
}
