// npm run bench -- <subject> [--quick] [--peers a,b] [--rows text] [--dist folder] [--profile folder]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const subjects = readdirSync(here).filter((name) => existsSync(join(here, name, "index.mjs")));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    peers: { type: "string" },
    rows: { type: "string" },
    dist: { type: "string" },
    profile: { type: "string" },
  },
});

/** Whether npm's record of what it installed covers the lock file, version for version. */
function isInstalled() {
  const record = join(here, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || optional === true || installed[path]?.version === version,
  );
}

/** Runs a command to its end; its failure ends the benchmark. */
function must(command, args, options) {
  const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (status !== 0) process.exit(status ?? 1);
}

if (positionals.length !== 1 || !subjects.includes(positionals[0])) {
  console.error(
    `Usage: npm run bench -- <${subjects.join(" | ")}> [--quick] [--peers a,b] [--rows text] [--dist folder] [--profile folder]`,
  );
  process.exit(2);
}

if (!isInstalled()) must("npm", ["ci"], { cwd: here, shell: process.platform === "win32" });
if (values.dist === undefined) must(process.execPath, [join(root, ".ci/ensureBuilt.mjs")]);
// Read by lib/ours.mjs, in every process of the run.
process.env.RUNNER_DIST = pathToFileURL(
  join(values.dist === undefined ? join(root, "dist") : resolve(values.dist), "/"),
).href;
// Read by lib/peerProcess.mjs.
if (values.profile !== undefined) process.env.BENCH_PROFILES = resolve(values.profile);

const { bench } = await import(new URL(`${positionals[0]}/index.mjs`, import.meta.url).href);
await bench({ quick: values.quick, peers: values.peers?.split(","), rows: values.rows });
