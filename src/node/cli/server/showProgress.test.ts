import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { runRunner } from "../../../__tests__/support/runnerCommand";
import { createTempProject } from "../../../__tests__/support/tempProject";
import { root } from "../../../__tests__/support/root";
import { r, type InputFile } from "../../index";

const MiB = 1_048_576;
const { NODE_ENV: _mode, ...environment } = process.env;

const sizeOf = r
  .task("shop.tasks.size")
  .run(async ({ scan }: { scan: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of scan.stream() as AsyncIterable<Buffer>) bytes += chunk.length;
    return bytes;
  })
  .build();
const report = r
  .task("shop.tasks.report")
  .run(async () => Readable.from([Buffer.alloc(MiB), Buffer.alloc(MiB)]))
  .build();

beforeAll(ensureBuilt, buildTimeoutMs);

/** Calls with all three streams on a terminal. */
async function callInTerminal(args: readonly string[], cwd: string, term = "xterm") {
  const command = ["exec", process.execPath, join(root, "dist/cli.js"), "call", ...args].join(" ");
  const env = { ...environment, RUNNER_TOKEN: token, TERM: term };
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { cwd, env });
  const closed = once(child, "close");
  const shown = await text(child.stdout);
  const [exitCode] = (await closed) as [number];
  return { exitCode, shown };
}

const clearLine = "\x1b[2K";
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;

it("a call in a terminal shows how much of a file is sent and how much of a result has come, and takes the line away", async () => {
  const project = createTempProject({ "scan.bin": "x".repeat(2 * MiB), "small.bin": "four" });
  await using exposure = await startExposure([sizeOf, report]);
  const url = urlOf(exposure);
  const upload = [url, sizeOf.id, "--file", "scan=scan.bin"];
  const sent = await callInTerminal(upload, project.folder);
  const received = await callInTerminal([url, report.id, "-o", "report.bin"], project.folder);
  const saved = statSync(join(project.folder, "report.bin")).size;
  const small = await callInTerminal([url, sizeOf.id, "--file", "scan=small.bin"], project.folder);
  const dumb = await callInTerminal(upload, project.folder, "dumb");
  const asJson = await callInTerminal([...upload, "--json"], project.folder);
  project.remove();

  expect(sent.shown).toMatch(/Sent \d\.\d MB {2}\d+ %/);
  expect(sent.shown).toContain("Sent 2.0 MB  100 %");
  expect(sent.shown.split(clearLine).at(-1)?.trim()).toBe(String(2 * MiB));
  expect(received.shown).toContain("Received 2.0 MB");
  expect(received.shown.split(clearLine).at(-1)).toBe("");
  expect(saved).toBe(2 * MiB);
  for (const { shown } of [small, dumb, asJson]) expect(shown).not.toContain("Sent");
  expect([sent, received, small, dumb, asJson].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
});

it("a call without a terminal shows no progress", async () => {
  const project = createTempProject({ "scan.bin": "x".repeat(2 * MiB) });
  await using exposure = await startExposure([sizeOf, report]);
  const options = { env: { RUNNER_TOKEN: token, TERM: "xterm" }, cwd: project.folder };
  const sent = await runRunner(["call", urlOf(exposure), sizeOf.id, "--file", "scan=scan.bin"], options);
  const received = await runRunner(["call", urlOf(exposure), report.id, "-o", "report.bin"], options);
  project.remove();

  expect([sent.stdout, sent.stderr, received.stdout, received.stderr]).toEqual([`${2 * MiB}\n`, "", "", ""]);
});
