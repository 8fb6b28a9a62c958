import { runProgram } from "./runSnippet";

/** Builds `dist` unless it is there and newer than its sources; safe to call from several test files at once. */
export async function ensureBuilt(): Promise<void> {
  const { exitCode, stderr } = await runProgram([".ci/ensureBuilt.mjs"], { timeoutMs: 110_000 });
  if (exitCode !== 0) throw new Error(`The build failed.\n${stderr}`);
}
