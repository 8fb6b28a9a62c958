import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./onRuntime.mjs", import.meta.url));
const installed = new URL("../../.ci/runtimes/node_modules/", import.meta.url);
const at = (path) => fileURLToPath(new URL(path, installed));

/** The runtimes of this machine's kind, which `npm run test:runtimes` installs, and how each starts a program. */
const runtimes = {
  Bun: { binary: at("@oven/bun-linux-x64/bin/bun"), args: ["run"], bar: 2.4 },
  Deno: { binary: at("@deno/linux-x64-glibc/deno"), args: ["run", "--allow-all", "--no-prompt"], bar: 4 },
};

/** Those that are there. */
export const installedRuntimes = () => Object.entries(runtimes).filter(([, { binary }]) => existsSync(binary));

/** Clock ticks of the kernel are 10 ms on every Linux of these years. */
const tickUs = 10_000;

/** A server on a runtime, and the CPU time of its process, which Linux counts. */
export async function startOn({ binary, args }, kind) {
  const child = spawn(binary, [...args, program], {
    env: { ...process.env, RUNNER_EDGE: kind },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return {
    port: Number(line),
    cpuUs() {
      // Behind the name of the process, which may hold spaces.
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      return (Number(fields[11]) + Number(fields[12])) * tickUs;
    },
    async stop() {
      child.kill();
      await once(child, "exit");
    },
  };
}
