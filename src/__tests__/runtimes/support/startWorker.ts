import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { projectFolder, startProgram, type Program } from "./project";
import { findRuntime } from "./runtimes";

/** A worker on a free port. */
export interface Worker extends AsyncDisposable {
  readonly origin: string;
  fetch(body: unknown): Promise<Response>;
}

export interface WorkerOptions {
  readonly flags?: readonly string[];
  /** Which runtime of those since 2021 it behaves as. Default 2026-01-01. */
  readonly date?: string;
}

/** Bundles a program of the project as Cloudflare's tools do, and runs it. */
export async function startWorker(
  program: string,
  { flags = [], date = "2026-01-01" }: WorkerOptions = {},
): Promise<Worker> {
  const folder = await mkdtemp(join(projectFolder(), "worker-"));
  await build({
    entryPoints: [join(projectFolder(), program)],
    outfile: join(folder, "worker.js"),
    bundle: true,
    external: ["node:async_hooks"],
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    logLevel: "silent",
  });
  await writeFile(join(folder, "worker.capnp"), configOf(flags, date));
  const workerd: Program = startProgram([
    findRuntime("workerd"),
    "serve",
    join(folder, "worker.capnp"),
    // Says on standard output which port it got.
    "--control-fd=1",
  ]);
  const port = await workerd.line(/"event":"listen".*"port":(\d+)/);
  return {
    origin: `http://127.0.0.1:${port}`,
    fetch: (body) => fetch(`http://127.0.0.1:${port}`, { method: "POST", body: JSON.stringify(body) }),
    [Symbol.asyncDispose]: () => workerd[Symbol.asyncDispose](),
  };
}

const configOf = (flags: readonly string[], date: string): string => `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = ${JSON.stringify(date)},
      compatibilityFlags = ${JSON.stringify(flags)},
    )),
    # Workers may call what is on the public internet by default; the tests' server is on this machine.
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
