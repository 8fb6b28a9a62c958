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

/** The command, and what Node loads once it has `node/index`: they have all that `node/index` has. */
const followers =
  /^(?:cli(?:\/\w+)?|(?:contract|server|events)Commands|tunnel|startRelay|startExposure|links|targets)$/;

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

/** What a chunk becomes part of: itself, where pages load something of it late, as bundlers keep files whole. */
function joined(id, { getModuleInfo }) {
  if (!isShared(id)) return undefined;
  const found = startsOf(id, getModuleInfo);
  const apart = found.includes("node/index") ? found.filter((name) => !followers.test(name)) : found;
  return apart.every((name) => entries.has(name)) ? apart.join() : id;
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
