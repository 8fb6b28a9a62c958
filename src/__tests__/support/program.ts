import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const root = path.resolve(__dirname, "../../..");

/**
 * Starts a program of its own that has `r`, `run` and `globals`, and `log`, which prints a line. It runs on until it is
 * signalled or exits, unless `ends` is set.
 */
export function startProgram(script: string, { ends = false }: { ends?: boolean } = {}) {
  const program = `
    const { r, run, globals } = require("./src/index.ts");
    const log = (line) => require("node:fs").writeSync(1, line + "\\n");
    ${ends ? "" : "setInterval(() => {}, 1000);"}
    (async () => { ${script} })();
  `;
  const child = spawn(process.execPath, ["-r", path.join(__dirname, "registerTypeScript.cjs"), "-e", program], {
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
