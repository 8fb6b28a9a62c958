import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";

beforeAll(ensureBuilt, buildTimeoutMs);

/** Runs the example as `npm start` does. */
async function start(env: Record<string, string> = {}): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, ["--import", "./.ci/typescript.mjs", "examples/tunnels/basic/main.ts"], {
    env: { ...process.env, ...env },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, output };
}

const pidsIn = (output: string): number[] => [...output.matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid));

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("the main job", () => {
  it("npm start tells of every kind of call and leaves no process behind", async () => {
    const { code, output } = await start();

    expect(code).toBe(0);
    const told = [...output.matchAll(/→ ([^\n]*)/g)].map(([, line]) => line);
    expect(told).toEqual([
      "42",
      "{",
      "true",
      "{ sku: 'tea', quantity: 1, orderedBy: 'req-7' }",
      "{ sku: 'tea', left: 2 }",
      "{",
      "'FORBIDDEN: Task shop.secret not exposed'",
      "'UNAUTHORIZED: Unauthorized'",
    ]);
    expect(output).toContain("path: [ 'quantity' ]");
    expect(pidsIn(output)).toHaveLength(2);
    expect(pidsIn(output).filter(isAlive)).toEqual([]);
  }, 60_000);

  it("npm start says what went wrong and exits with 1 when the server cannot start", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;

    const { code, output } = await start({ RUNNER_PORT: String(port) });
    other.close();

    expect(code).toBe(1);
    expect(output).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
    expect(output).toContain("This did not work: the server process ended with code 1 before it was ready.");
  }, 60_000);
});
