import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";

const root = path.resolve(__dirname, "../../..");

const folder = mkdtempSync(path.join(tmpdir(), "runner-sources-"));
afterAll(() => rmSync(folder, { recursive: true }));
let bundle: string | undefined;

/** Makes one file of the sources, since a program that compiles hundreds of them takes most of a second for it. */
function bundleSources(): string {
  if (bundle !== undefined) return bundle;
  const outfile = path.join(folder, "sources.cjs");
  const contents = `export * as universal from "./src/index"; export * as node from "./src/node/index";`;
  buildSync({ stdin: { contents, resolveDir: root }, outfile, bundle: true, platform: "node", target: "node20" });
  return (bundle = outfile);
}

/**
 * Starts a program of its own that has `r`, `run` and `globals`, `node`, which is the entry of that name, and `log`, which
 * prints a line. It runs on until it is signalled or exits, unless `ends` is set.
 */
export function startProgram(script: string, { ends = false }: { ends?: boolean } = {}) {
  const program = `
    const { universal: { r, run, globals }, node } = require(${JSON.stringify(bundleSources())});
    const log = (line) => require("node:fs").writeSync(1, line + "\\n");
    ${ends ? "" : "setInterval(() => {}, 1000);"}
    (async () => { ${script} })();
  `;
  const child = spawn(process.execPath, ["-e", program], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "test" },
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const exited = once(child, "close") as Promise<[number | null, string | null]>;
  return {
    child,
    exited,
    lines: () => output.trim().split("\n"),
    errors: () => errors,
    /** Resolves once the program has printed this line, or has ended. */
    async printed(line: string): Promise<void> {
      while (!output.includes(line) && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stdout, "data"), exited]);
      }
    },
  };
}
