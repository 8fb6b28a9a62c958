import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../support/root";

/** Where `npm run test:runtimes` installs runtimes, bundlers and frameworks: a project of its own. */
export const runtimesFolder = join(root, ".ci/runtimes");

const nodeBinaries = (major: number) => ({
  "linux-x64": `node-${major}-linux-x64/bin/node`,
  "linux-arm64": `node-${major}-linux-arm64/bin/node`,
});

/**
 * The binary inside the package of a platform. The packages `bun`, `deno`, `workerd` and `node` would link it by an
 * install script, and npm may skip those.
 */
const binaries = {
  "Node 20": nodeBinaries(20),
  "Node 22": nodeBinaries(22),
  "Node 24": nodeBinaries(24),
  Deno: {
    "linux-x64": "@deno/linux-x64-glibc/deno",
    "linux-arm64": "@deno/linux-arm64-glibc/deno",
    "darwin-x64": "@deno/darwin-x64/deno",
    "darwin-arm64": "@deno/darwin-arm64/deno",
  },
  Bun: {
    "linux-x64": "@oven/bun-linux-x64/bin/bun",
    "linux-arm64": "@oven/bun-linux-aarch64/bin/bun",
    "darwin-x64": "@oven/bun-darwin-x64/bin/bun",
    "darwin-arm64": "@oven/bun-darwin-aarch64/bin/bun",
  },
  workerd: {
    "linux-x64": "@cloudflare/workerd-linux-64/bin/workerd",
    "linux-arm64": "@cloudflare/workerd-linux-arm64/bin/workerd",
    "darwin-x64": "@cloudflare/workerd-darwin-64/bin/workerd",
    "darwin-arm64": "@cloudflare/workerd-darwin-arm64/bin/workerd",
  },
} satisfies Record<string, Readonly<Record<string, string>>>;

export type RuntimeName = keyof typeof binaries;
export const runtimeNames = Object.keys(binaries) as RuntimeName[];

/**
 * The path of a runtime's binary.
 *
 * @throws {Error} it is not there: a test that needs a runtime fails without it
 */
export function findRuntime(name: RuntimeName): string {
  const platform = `${process.platform}-${process.arch}`;
  const inside = (binaries[name] as Readonly<Record<string, string>>)[platform];
  if (inside === undefined) throw new Error(`${name} cannot be had: no npm package has it for ${platform}.`);
  const path = join(runtimesFolder, "node_modules", inside);
  if (!existsSync(path)) {
    throw new Error(`${name} cannot be had: ${inside} is not in .ci/runtimes; run npm ci --prefix .ci/runtimes.`);
  }
  return path;
}
