import { cpuMs } from "../lib/cpu.mjs";
import { drain } from "./rows.mjs";

/** A peer that reads streams: `open(kind, count)` gives the items of one. */
export function measureStreams(open) {
  return {
    async sample(kind, count) {
      const cpuBefore = cpuMs();
      const started = performance.now();
      await drain(await open(kind, count), count);
      return { wallUs: ((performance.now() - started) * 1000) / count, cpuUs: ((cpuMs() - cpuBefore) * 1000) / count };
    },
  };
}
