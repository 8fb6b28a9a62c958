import { inspect } from "node:util";

/** One line of the transcript: what was called, and what came of it. */
export function show(label: string, value: unknown): void {
  const text = inspect(value, { colors: process.stdout.isTTY, depth: 6, breakLength: 100 });
  console.log(`  ${label}\n    → ${text.replaceAll("\n", "\n      ")}\n`);
}
