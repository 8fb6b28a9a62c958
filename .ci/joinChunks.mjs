// Joins the chunks of dist/**/*.js that are always loaded together. esbuild makes one for each set of entries that share
// something, and Node takes most of a millisecond to load a file. What pages load apart stays apart.
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rollup } from "rollup";

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist");
const files = readdirSync(dist, { recursive: true }).filter((path) => path.endsWith(".js"));
const hash = /-[A-Z0-9]{8}\.js$/;
const nameOf = (id) => relative(dist, id).replaceAll("\\", "/").replace(hash, "").replace(/\.js$/, "");
const isShared = (id) => nameOf(id) === "chunk";

/**
 * What begins with a program that has the key already, or with something that needs it all the same: what they share with it is
 * part of that. `index` has all of `late`, and pages, which begin with some of it, load none of the others.
 */
const followers = new Map([
  [
    "late",
    /^(?:index|node\/.*|cli.*|\w+Commands|tunnel|startExposure|startRelay|links|targets|startFetchExposure|serveMemory|verifyContract|hearEvents)$/,
  ],
  ["node/index", /^(?:cli.*|\w+Commands|tunnel|startExposure|startRelay|links|targets)$/],
]);
/** Small chunks that cost pages nothing where they are part of another one, which Node loads with them anyway. */
const together = new Map([
  ["errors/index,late", "errors/index,late,light"],
  ["completeCodec,late,light", "completeCodec,errors/index,late,light"],
]);
/** What each server has, and what deals with contracts; pages load neither late. */
const serving = /^(?:index|startFetchExposure|startExposure|serveMemory|startRelay|node\/nats\/index)$/;
const comparing =
  /^(?:index|verifyContract|startFetchExposure|startExposure|node\/nats\/index|cli\/dryRun|\w+Commands)$/;

const entries = new Map(
  files.filter((path) => !hash.test(path)).map((path) => [nameOf(join(dist, path)), join(dist, path)]),
);
const bundle = await rollup({
  input: Object.fromEntries(entries),
  external: (id) => !/^[./]/.test(id),
  treeshake: false,
  onwarn({ message }) {
    throw new Error(message);
  },
});

/** What begins with a chunk: the files that are no chunks and lead to it. */
const starts = new Map();
function startsOf(id, getModuleInfo) {
  if (!isShared(id)) return [nameOf(id)];
  if (!starts.has(id)) {
    const found = getModuleInfo(id).importers.flatMap((importer) => startsOf(importer, getModuleInfo));
    starts.set(id, [...new Set(found)].sort());
  }
  return starts.get(id);
}

/** What a chunk becomes part of: with all that begins where it does, and where pages load something of it late, nothing else. */
function joined(id, { getModuleInfo }) {
  if (!isShared(id)) return undefined;
  const found = startsOf(id, getModuleInfo);
  // What Node alone has is no part of what pages may begin with.
  if (found.includes("index") && !found.includes("late")) {
    if (found.every((name) => serving.test(name))) return "serving";
    if (found.every((name) => comparing.test(name))) return "comparing";
  }
  const leaders = [...followers].filter(([leader]) => found.includes(leader));
  const apart = found.filter((name) => leaders.every(([, following]) => !following.test(name)));
  if (together.has(apart.join())) return together.get(apart.join());
  // Pages begin with `index`, and esbuild would have them begin with what anything in their reach shares with what it loads.
  return found.includes("late") && !found.includes("index") ? `not in pages,${apart.join()}` : apart.join();
}

const { output } = await bundle.generate({
  format: "es",
  compact: true,
  hoistTransitiveImports: false,
  minifyInternalExports: false,
  onlyExplicitManualChunks: true,
  entryFileNames: "[name].js",
  chunkFileNames: ({ facadeModuleId: id }) => `${id === null || isShared(id) ? "chunk" : nameOf(id)}-[hash].js`,
  manualChunks: joined,
});
for (const path of files) rmSync(join(dist, path));
for (const { fileName, code } of output) {
  const file = join(dist, fileName);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
  if (code.startsWith("#!")) chmodSync(file, 0o755);
}
console.log(`Joined ${files.length} modules to ${output.length}`);
