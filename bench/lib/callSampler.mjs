import { cpuMs } from "./cpu.mjs";

const warmUpMs = 400;
const sampleMs = 40;

/**
 * Measures a function: `sample()` is the CPU time of one call in nanoseconds.
 * Warm-up decides how many calls a sample takes, the function may be synchronous.
 */
export async function callSampler(call) {
  const isAsync = call() instanceof Promise;
  const loop = isAsync
    ? async (times) => {
        for (let i = 0; i < times; i++) await call();
      }
    : (times) => {
        for (let i = 0; i < times; i++) call();
      };

  const timed = async (times) => {
    const started = cpuMs();
    await loop(times);
    return cpuMs() - started;
  };

  let times = 1;
  for (let spent = 0; spent < warmUpMs;) {
    const took = await timed(times);
    spent += took;
    times = took < 1 ? times * 10 : Math.max(1, Math.round((times * sampleMs) / took));
  }
  return { sample: async () => ((await timed(times)) * 1e6) / times };
}
