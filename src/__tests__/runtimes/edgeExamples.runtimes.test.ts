import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { root } from "../support/root";
import { projectFolder, startProgram } from "./support/project";
import { findRuntime } from "./support/runtimes";
import { startNext } from "./support/startNext";
import { startWorker } from "./support/startWorker";

/** The examples in the project, where what they import is installed. */
beforeAll(() => cp(join(root, "examples/edge"), join(projectFolder(), "edge"), { recursive: true }));

/** What of the globals of two hosts the examples use; their own types exclude each other's. */
const hostGlobals = `
interface HostAddress { readonly address: string }
declare const Bun: {
  serve(options: {
    hostname: string; port: number;
    fetch(request: Request, server: { requestIP(request: Request): HostAddress | null }): Promise<Response>;
  }): { readonly port: number };
};
declare const Deno: {
  readonly env: { get(name: string): string | undefined };
  serve(
    options: { hostname: string; port: number; onListen(at: { port: number }): void },
    handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): unknown;
};`;

it("the examples of a fetch edge compile against the package as it is published", async () => {
  const folder = join(projectFolder(), "edge");
  await writeFile(join(folder, "hosts.d.ts"), hostGlobals);
  const options: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: ["node"],
    typeRoots: [join(projectFolder(), "node_modules/@types")],
    skipLibCheck: true,
    noEmit: true,
  };
  const examples = ["bun/main.ts", "deno/main.ts", "hono/main.ts", "workers/main.ts", "hosts.d.ts"];
  const files = [...examples, "next/app/api/runner/[...path]/route.ts"].map((file) => join(folder, file));
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(files, options));

  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
}, 120_000);

async function bundle(name: string): Promise<string> {
  const outfile = `edge-${name}.mjs`;
  await build({
    entryPoints: [join(projectFolder(), "edge", name, "main.ts")],
    outfile: join(projectFolder(), outfile),
    bundle: true,
    packages: "external",
    format: "esm",
    target: "es2022",
    platform: "neutral",
    tsconfigRaw: {},
    logLevel: "silent",
  });
  return outfile;
}

const program = async (name: string, ...command: string[]) => {
  const running = startProgram([...command, await bundle(name)], { env: { PORT: "0" } });
  return { origin: await running.line(/^ready (.*)/), dispose: () => running[Symbol.asyncDispose]() };
};

it.each([
  ["bun", () => program("bun", findRuntime("Bun")), "127.0.0.1"],
  ["deno", () => program("deno", findRuntime("Deno"), "run", "--quiet", "--allow-net", "--allow-env"), "127.0.0.1"],
  ["hono", () => program("hono", process.execPath), "127.0.0.1"],
  [
    "workers",
    async () => {
      const worker = await startWorker(await bundle("workers"), { flags: ["nodejs_compat"] });
      return { origin: worker.origin, dispose: () => worker[Symbol.asyncDispose]() };
    },
    "unknown",
  ],
] as const)(
  "the example of a fetch edge for %s serves calls, files, and what it knows of a caller",
  async (_name, start, address) => {
    const { origin, dispose } = await start();
    try {
      await using client = createHttpMixedClient({ baseUrl: `${origin}/__runner`, auth: { token: "dev-secret" } });
      const file = createNodeFile({ name: "large.bin" }, { buffer: Buffer.alloc(3_000_000) });

      expect(await client.task("shop.tasks.add", { a: 19, b: 23 })).toBe(42);
      expect(await client.task("shop.tasks.size", { file })).toBe(3_000_000);
      expect(await client.task("shop.tasks.caller")).toBe(address);
    } finally {
      await dispose();
    }
  },
);

it("the example of a fetch edge for next is built, and serves calls beside a page", async () => {
  await using server = await startNext(join(projectFolder(), "edge/next"));
  const { origin } = server;
  await using client = createHttpMixedClient({ baseUrl: `${origin}/api/runner`, auth: { token: "dev-secret" } });

  expect(await client.task("shop.tasks.add", { a: 19, b: 23 })).toBe(42);
  expect(await (await fetch(`${origin}/`)).text()).toContain("a page of Next");
}, 120_000);
