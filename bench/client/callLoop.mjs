import { cpuMs } from "../lib/cpu.mjs";

/** Measures a client by a call that has to give 3. */
export async function measureClient(call) {
  const answer = await call();
  if (answer !== 3) throw new Error(`Answered ${JSON.stringify(answer)}.`);

  async function sample(inFlight, calls) {
    let left = calls;
    const work = async () => {
      while (left-- > 0) await call();
    };
    const started = performance.now();
    const cpuBefore = cpuMs();
    await Promise.all(Array.from({ length: inFlight }, work));
    const seconds = (performance.now() - started) / 1000;
    return { rate: calls / seconds, cpuUs: ((cpuMs() - cpuBefore) * 1000) / calls };
  }
  return { sample };
}
