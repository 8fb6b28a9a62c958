import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { projectFolder, startProgram, type Program } from "./project";
import { findRuntime } from "./runtimes";

/** A worker on a free port. */
export interface Worker extends AsyncDisposable {
  fetch(body: unknown): Promise<Response>;
}

/** Bundles a program of the project as Cloudflare's tools do, and runs it. */
export async function startWorker(program: string, compatibilityFlags: readonly string[] = []): Promise<Worker> {
  const folder = projectFolder();
  await build({
    entryPoints: [join(folder, program)],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    logLevel: "silent",
  });
  await writeFile(join(folder, "worker.capnp"), configOf(compatibilityFlags));
  const workerd: Program = startProgram([
    findRuntime("workerd"),
    "serve",
    "worker.capnp",
    // Says on standard output which port it got.
    "--control-fd=1",
  ]);
  const port = await workerd.line(/"event":"listen".*"port":(\d+)/);
  return {
    fetch: (body) => fetch(`http://127.0.0.1:${port}`, { method: "POST", body: JSON.stringify(body) }),
    [Symbol.asyncDispose]: () => workerd[Symbol.asyncDispose](),
  };
}

const configOf = (flags: readonly string[]): string => `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-01-01",
      compatibilityFlags = ${JSON.stringify(flags)},
    )),
    # Workers may call what is on the public internet by default; the tests' server is on this machine.
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
