import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readExampleRuns, runExample } from "../../../src/__tests__/support/runExample";
import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";
import { startStreamingPeer } from "../../../src/__tests__/support/httpPeer";
import { root } from "../../../src/__tests__/support/root";
import { startServer } from "./server";

beforeAll(ensureBuilt, buildTimeoutMs);

it.each(readExampleRuns("examples/tunnels/uploads/README.md"))(
  "the example prints what the page says: $command",
  async (example) => {
    const { exitCode, stdout, stderr } = await runExample(example);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.trim()).toBe(example.output);
  },
);

describe("the command", () => {
  /** Starts it, collecting what it prints. */
  function start(...args: readonly string[]) {
    const node = ["--import", "./.ci/typescript.mjs", "examples/tunnels/uploads/upload.ts", ...args];
    const child = spawn(process.execPath, node, { cwd: root });
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk: Buffer) => (printed[name] += chunk.toString()));
    }
    return { child, printed, closed: once(child, "close") as Promise<[number | null]> };
  }

  it("the upload command shows how far it is, and the answer", async () => {
    await using server = await startServer();
    const dir = await mkdtemp(join(tmpdir(), "runner-upload-example-"));
    try {
      const path = join(dir, "app.log");
      await writeFile(path, "tea\n".repeat(500_000));
      const { printed, closed } = start(path, server.baseUrl);

      expect(await closed).toEqual([0, null]);
      expect(printed.stdout.trim()).toBe("500000 lines");
      expect(printed.stderr).toMatch(/\r100 %$/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it("the upload command aborts at Ctrl-C", async () => {
    // Reads nothing and says nothing: of a file without end.
    await using silent = await startStreamingPeer(() => {});
    const { child, printed, closed } = start("/dev/zero", silent.baseUrl);
    child.stderr.once("data", () => child.kill("SIGINT"));

    expect(await closed).toEqual([130, null]);
    expect(printed.stderr).toContain("Given up.");
  });

  it("the upload command says what the server refused", async () => {
    const { printed, closed } = start("package.json", "http://127.0.0.1:1/__runner");

    expect(await closed).toEqual([1, null]);
    expect(printed.stderr).toContain("ECONNREFUSED");
  });
});
