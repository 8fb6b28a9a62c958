import { cpuMs } from "../lib/cpu.mjs";
import { drain, rowsOf } from "./rows.mjs";

/**
 * A peer that reads streams: `open(kind, count)` gives the items of one. One that sends them, too, has `send(rows)`, which
 * resolves to how many have arrived.
 */
export function measureStreams(open, send) {
  return {
    async sampleSent(kind, count) {
      const cpuBefore = cpuMs();
      const started = performance.now();
      const arrived = await send(rowsOf(kind, count));
      if (arrived !== count) throw new Error(`${arrived} of ${count} items have arrived.`);
      return { wallUs: ((performance.now() - started) * 1000) / count, cpuUs: ((cpuMs() - cpuBefore) * 1000) / count };
    },
    async sample(kind, count) {
      const cpuBefore = cpuMs();
      const started = performance.now();
      await drain(await open(kind, count), count);
      return { wallUs: ((performance.now() - started) * 1000) / count, cpuUs: ((cpuMs() - cpuBefore) * 1000) / count };
    },
  };
}
