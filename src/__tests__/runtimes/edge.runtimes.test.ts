import { clientCases } from "../edge/cases/clientCases";
import type { HostLimits, ServedEdge } from "../edge/cases/edgeUnderTest";
import { describeEdge } from "../edge/describeEdge";
import { startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";
import { startWorker, type WorkerOptions } from "./support/startWorker";

const at = (origin: string, dispose: () => PromiseLike<void>): ServedEdge => ({
  baseUrl: `${origin}/__runner`,
  send: (path, init) => fetch(origin + path, init),
  [Symbol.asyncDispose]: async () => dispose(),
});

async function startServer(...command: string[]): Promise<ServedEdge> {
  const program = startProgram(command);
  return at(await program.line(/^ready (.*)/), () => program[Symbol.asyncDispose]());
}

async function startAsWorker(program: string, options: WorkerOptions): Promise<ServedEdge> {
  const worker = await startWorker(program, options);
  return at(worker.origin, () => worker[Symbol.asyncDispose]());
}

describeEdge("Hono in Node", () => startServer(process.execPath, "edgeOnHono.mjs"));
describeEdge("Bun", () => startServer(findRuntime("Bun"), "edgeOnBun.mjs"));
describeEdge("Deno", () =>
  startServer(findRuntime("Deno"), "run", "--no-prompt", "--quiet", "--allow-net", "edgeOnDeno.mjs"),
);

const program = "edgeOnWorkers.mjs";
const old = "edgeOnOldWorkers.mjs";
const workers: readonly (readonly [string, string, WorkerOptions, HostLimits?])[] = [
  ["workerd of 2026", program, { date: "2026-11-01", flags: ["nodejs_als"] }],
  ["workerd of 2023", old, { date: "2023-11-01", flags: ["nodejs_als"] }, { withoutCrossRequestPromises: true }],
  ["workerd with nodejs_compat", program, { flags: ["nodejs_compat"] }],
  ["workerd without contexts", program, {}, { withoutContexts: true }],
];
const ofWorkers = { withoutAddress: true, withoutSignal: true };
for (const [name, file, options, limits] of workers) {
  describeEdge(name, () => startAsWorker(file, options), { ...ofWorkers, ...limits });
}
// The flag is on by itself at dates from 2024-10-14 on.
const settling = { date: "2023-11-01", flags: ["nodejs_als", "handle_cross_request_promise_resolution"] };
const openSettling = () => startAsWorker(old, settling);
describeEdge("workerd of 2023 that settles promises across requests", openSettling, ofWorkers, [clientCases]);
