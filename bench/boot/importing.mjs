import { cpuMs } from "../lib/cpu.mjs";
import { ours } from "../lib/ours.mjs";
import { ref55 } from "../lib/ref55.mjs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

const kinds = {
  ours,
  oursRequired: (entry) => require(fileURLToPath(new URL(entry, process.env.RUNNER_DIST))),
  ref55,
  package: (entry) => import(entry),
};

export async function start({ kind, entry }) {
  const started = cpuMs();
  await kinds[kind](entry);
  return { cpuMs: cpuMs() - started };
}
