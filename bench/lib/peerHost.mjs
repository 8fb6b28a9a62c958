// The process of one peer: loads its module, answers the calls of the benchmark, ends with it.
import { cpuMs, peakMb } from "./cpu.mjs";

const [module, options] = process.argv.slice(2);
const send = (message) => process.connected && process.send(message);
const describe = (error) => String((error instanceof Error && error.stack) || error);

process.on("disconnect", () => process.exit(0));

const functions = {
  /** CPU time so far, and the most memory ever held. */
  usage: () => ({ cpuMs: cpuMs(), peakMb: peakMb() }),
};

process.on("message", async ({ id, name, args }) => {
  try {
    send({ id, value: await functions[name](...args) });
  } catch (error) {
    send({ id, error: describe(error) });
  }
});

try {
  const { start } = await import(module);
  const given = Object.entries((await start(JSON.parse(options))) ?? {});
  Object.assign(functions, Object.fromEntries(given.filter(([, value]) => typeof value === "function")));
  send({ id: 0, value: Object.fromEntries(given.filter(([, value]) => typeof value !== "function")) });
} catch (error) {
  send({ id: 0, error: describe(error) });
}
