import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { readSnippets } from "../support/readSnippets";
import { curl, hasCurl, splitCommand } from "../support/curl";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runSnippet, toProgram } from "../support/runSnippet";
import { root } from "../support/root";

const quickStart = "readmes/tunnels/quick-start.md";
const byHand = "readmes/tunnels/curl.md";
const read = (page: string): string => readFileSync(join(root, page), "utf8");
const snippets = [...readSnippets(quickStart), ...readSnippets(byHand)];
const statedPort = /\b7070\b/g;

/** The code of a fence that begins with `// file: name`, on a port of ours. */
function codeOf(name: string, port: number): string {
  const snippet = snippets.find(({ path }) => path.endsWith(`/${name}`));
  if (snippet === undefined) throw new Error(`No fence is called ${name}.`);
  return snippet.code.replace(statedPort, String(port));
}

/** Commands with what the page says they print. */
const oneLiners = [...read(byHand).matchAll(/^```sh\n(curl .*)\n```\n+```text\n([^]*?)\n```$/gm)].map(
  ([, command = "", output = ""]) => ({ command, output }),
);

/** Runs before the program, and tells the port that it got. */
const tellPort = `data:text/javascript,${encodeURIComponent(`
  import { Server } from "node:net";
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...args) {
    this.once("listening", () => process.send(this.address().port));
    return listen.apply(this, args);
  };`)}`;

/** Starts a program of the page, on a port of its own, and waits until it listens. */
async function start(name: string): Promise<{ port: number; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, ["--import", tellPort, "--input-type=module", "-"], {
    cwd: root,
    stdio: ["pipe", "ignore", "inherit", "ipc"],
  });
  child.stdin?.end(toProgram(codeOf(name, 0)));
  const exited = once(child, "exit");
  const ended = exited.then(([code]) => {
    throw new Error(`${name} ended with code ${String(code)} before it listened.`);
  });
  const [port] = (await Promise.race([once(child, "message"), ended])) as [number];
  return {
    port,
    async stop() {
      child.kill();
      await ended.catch(() => {});
    },
  };
}

beforeAll(ensureBuilt, buildTimeoutMs);

it("the guide to tunnels has a quick start that works, in two processes", async () => {
  const server = await start("server.mts");
  try {
    const { exitCode, stdout, stderr } = await runSnippet({ code: codeOf("client.mts", server.port) });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const stated = /\/\/ file: client\.mts[^]*?```\n+```text\n([^]*?)\n```/.exec(read(quickStart))?.[1];
    expect(stdout.trim()).toBe(stated);
  } finally {
    await server.stop();
  }
});

describe("the one-liners", () => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => void (server = await start("byHand.ts")));
  afterAll(() => server.stop());

  it.each(oneLiners)(
    "the curl commands of the guide print what the page says: $command",
    async ({ command, output }) => {
      const args = splitCommand(command.replace(statedPort, String(server.port))).slice(1);

      const printed = hasCurl() ? (await promisify(execFile)("curl", args, { cwd: root })).stdout : await curl(args);

      expect(printed.trim()).toBe(output);
    },
  );

  it("the curl commands of the guide do the same without curl on the machine", async () => {
    for (const { command, output } of oneLiners) {
      const printed = await curl(splitCommand(command.replace(statedPort, String(server.port))).slice(1));

      expect(`${command}\n${printed.trim()}`).toBe(`${command}\n${output}`);
    }
  });
});
