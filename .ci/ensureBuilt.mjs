// Builds dist/ when it is missing or older than its sources. Several processes may ask at once: one builds, the others wait.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, "node_modules/.cache/runner-build.lock");

/** What else decides what is built. */
const settings = ["package.json", "tsconfig.json", "tsup.config.ts", ".ci/joinChunks.mjs", ".ci/linkDeclarations.mjs"];

const modifiedMs = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;

function newestSourceMs() {
  const sources = readdirSync(join(root, "src"), { recursive: true })
    .filter((path) => path.endsWith(".ts") && !/__tests__|\.test(-d)?\.ts$/.test(path))
    .map((path) => join("src", path));
  return Math.max(...[...sources, ...settings].map((path) => modifiedMs(path) ?? 0));
}

/** The time of the oldest file that `exports` names, or `undefined` when one is missing. */
function builtAtMs() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const files = JSON.stringify(exports).match(/\.\/dist\/[^"]+/g);
  const times = files.map((path) => modifiedMs(path));
  return times.includes(undefined) ? undefined : Math.min(...times);
}

const isFresh = () => (builtAtMs() ?? 0) > newestSourceMs();

/** Takes the lock, unless a live process holds it. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    const file = openSync(lock, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (!isAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(path) {
  try {
    process.kill(Number(readFileSync(path, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Ends with this process: a build that goes on by itself would run beside the next one, into the same folder. */
async function build() {
  const builder = spawn(process.execPath, [join(root, "node_modules/tsup/dist/cli-default.js")], { cwd: root });
  const end = () => builder.kill();
  process.once("SIGTERM", end).once("SIGINT", end);
  let output = "";
  for (const stream of [builder.stdout, builder.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [status] = await once(builder, "close");
  process.off("SIGTERM", end).off("SIGINT", end);
  return { status, output };
}

while (!isFresh()) {
  if (!takeLock()) {
    await delay(100);
    continue;
  }
  try {
    if (isFresh()) break;
    const started = performance.now();
    const { status, output } = await build();
    if (status !== 0) {
      console.error(output);
      process.exitCode = status ?? 1;
      break;
    }
    await import("./linkDeclarations.mjs");
    console.error(`Built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
    break;
  } finally {
    rmSync(lock, { force: true });
  }
}
