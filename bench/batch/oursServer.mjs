import { cpuMs } from "../lib/cpu.mjs";
import { ours } from "../lib/ours.mjs";
import { startExposure } from "../exposure/runnerApp.mjs";

export async function start() {
  const { port } = await startExposure(await ours("node/index.js"), { tasks: 100 });
  return { port, cpuMs };
}
