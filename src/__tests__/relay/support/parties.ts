import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "../../support/root";

/** Where `npm run test:relay` installs npm packages that only it needs. */
const partiesFolder = join(root, ".ci/relay/node_modules");

/** Programs that take part, and the Debian packages that bring them. */
const commands = {
  caddy: "caddy",
  chromium: "chromium",
  curl: "curl",
  git: "git",
  nginx: "nginx-light",
  prometheus: "prometheus",
  promtool: "prometheus",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
} as const;

export type PartyName = keyof typeof commands;
export const partyNames = Object.keys(commands) as PartyName[];
export const packageNames = ["redis", "vite"] as const;

/**
 * The path of a program.
 *
 * @throws {Error} it is not there: a test that needs it fails without it
 */
export function findParty(name: PartyName): string {
  const stated = name === "chromium" ? process.env["CHROMIUM"] : undefined;
  // Debian keeps servers out of the path of ordinary users.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const found = [stated ?? "", ...folders.map((folder) => join(folder, name))].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(`${name} takes part in these tests and is not installed: apt-get install ${commands[name]}.`);
}

/** The folder of an npm package. @throws {Error} it is not there */
export function findPackage(name: (typeof packageNames)[number]): string {
  const folder = join(partiesFolder, name);
  if (existsSync(folder)) return folder;
  throw new Error(`The npm package ${name} takes part in these tests and is not installed: npm ci --prefix .ci/relay.`);
}

function isExecutable(path: string): boolean {
  try {
    if (path !== "") accessSync(path, constants.X_OK);
    return path !== "";
  } catch {
    return false;
  }
}
