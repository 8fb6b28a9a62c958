import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clientCases } from "../edge/cases/clientCases";
import type { HostLimits, ServedEdge } from "../edge/cases/edgeUnderTest";
import { describeEdge } from "../edge/describeEdge";
import { projectFolder, startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";
import { startNext } from "./support/startNext";
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

/** An application of Next with one route. Names of folders that begin with an underscore are not served unless that is encoded. */
async function openNext(): Promise<ServedEdge> {
  const cwd = join(projectFolder(), "edgeOnNext");
  const route = join(cwd, "app/%5F_runner/[[...path]]");
  await mkdir(route, { recursive: true });
  await cp(join(projectFolder(), "edgeOnNext.mjs"), join(cwd, "edgeOnNext.mjs"));
  const exported = 'export { GET, OPTIONS, POST, PUT } from "../../../edgeOnNext.mjs";\n';
  const settings = 'export const runtime = "nodejs";\nexport const dynamic = "force-dynamic";\n';
  await writeFile(join(route, "route.js"), exported + settings);
  const server = await startNext(cwd);
  return at(server.origin, () => server[Symbol.asyncDispose]());
}

describeEdge("Hono in Node", () => startServer(process.execPath, "edgeOnHono.mjs"));
describeEdge("Bun", () => startServer(findRuntime("Bun"), "edgeOnBun.mjs"));
describeEdge("Deno", () =>
  startServer(findRuntime("Deno"), "run", "--no-prompt", "--quiet", "--allow-net", "edgeOnDeno.mjs"),
);
describeEdge("Next", openNext, { withoutAddress: true });

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
