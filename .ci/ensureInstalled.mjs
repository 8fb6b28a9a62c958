// node .ci/ensureInstalled.mjs [folder]: installs what the folder's package-lock.json lists when its node_modules lacks it,
// and does nothing the second time. The folder is the root, unless one below it is named.
// Runs before anything is installed: Node builtins only.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [, , name = "."] = process.argv;
const folder = join(root, name);

/** Whether npm's record of what it installed covers the lock file, version for version. */
function isInstalled() {
  // npm writes this record last, so an interrupted installation has none.
  const record = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === "") return true;
    // What is optional may be missing: it is for another platform.
    return path in installed ? installed[path].version === version : optional === true || devOptional === true;
  });
}

if (!isInstalled()) {
  console.error(`Installing dependencies (npm ci${name === "." ? "" : ` in ${name}`}) ...`);
  const npm = process.env.npm_execpath;
  const args = ["ci", "--include=dev"];
  const options = { cwd: folder, stdio: "inherit" };
  const { status } = npm?.endsWith("npm-cli.js")
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  process.exitCode = status ?? 1;
}
