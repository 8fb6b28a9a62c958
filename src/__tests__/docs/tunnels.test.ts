import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { readSnippets } from "../support/checkSnippets";
import { curl, hasCurl, splitCommand } from "../support/curl";
import { ensureBuilt } from "../support/ensureBuilt";
import { runSnippet, toProgram } from "../support/runSnippet";
import { root } from "../support/virtualProgram";

const page = "readmes/TUNNELS.md";
const text = readFileSync(join(root, page), "utf8");
const snippets = readSnippets(page);
const statedPort = /\b7070\b/g;

/** The code of a fence that begins with `// file: name`, on a port of ours. */
function codeOf(name: string, port: number): string {
  const snippet = snippets.find(({ path }) => path.endsWith(`/${name}`));
  if (snippet === undefined) throw new Error(`${page} has no fence for ${name}.`);
  return snippet.code.replace(statedPort, String(port));
}

/** Commands with what the page says they print. */
const oneLiners = [...text.matchAll(/^```sh\n(curl .*)\n```\n+```text\n([^]*?)\n```$/gm)].map(
  ([, command = "", output = ""]) => ({ command, output }),
);

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Starts a program of the page and waits until it listens. */
async function start(name: string): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, ["--input-type=module", "-"], {
    cwd: root,
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.stdin?.end(toProgram(codeOf(name, port)));
  const exited = once(child, "exit");
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode} before it listened.`);
    await delay(20);
  }
  return {
    port,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });

beforeAll(ensureBuilt, 120_000);

it("has a quick start that works, in two processes", async () => {
  const server = await start("server.ts");
  try {
    const { exitCode, stdout, stderr } = await runSnippet({ code: codeOf("client.ts", server.port) });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const stated = /\/\/ file: client\.ts[^]*?```\n+```text\n([^]*?)\n```/.exec(text)?.[1];
    expect(stdout.trim()).toBe(stated);
  } finally {
    await server.stop();
  }
}, 30_000);

describe("the one-liners", () => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => void (server = await start("byHand.ts")), 30_000);
  afterAll(() => server.stop());

  it.each(oneLiners)("print what the page says: $command", async ({ command, output }) => {
    const args = splitCommand(command.replace(statedPort, String(server.port))).slice(1);

    const printed = hasCurl() ? (await promisify(execFile)("curl", args, { cwd: root })).stdout : await curl(args);

    expect(printed.trim()).toBe(output);
  });

  it("do the same without curl on the machine", async () => {
    for (const { command, output } of oneLiners) {
      const printed = await curl(splitCommand(command.replace(statedPort, String(server.port))).slice(1));

      expect(`${command}\n${printed.trim()}`).toBe(`${command}\n${output}`);
    }
  });
});
