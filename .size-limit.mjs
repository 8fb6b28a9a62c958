/**
 * What of the package ends up in a page, minified by esbuild, each file compressed by gzip. "At first" counts the files that the
 * page begins with; "and what it may load" adds those that calls load when they need them; other rows are one file.
 */

/** Counts only the files that are loaded together with the first one. */
const filesOfTheStart = {
  name: "files-of-the-start",
  setup(build) {
    build.onEnd(({ metafile: { outputs } }) => {
      const entry = Object.keys(outputs).find((path) => outputs[path].entryPoint?.endsWith("index.js"));
      const wanted = new Set([entry]);
      for (const path of wanted) {
        for (const { kind, path: imported } of outputs[path].imports) {
          if (kind === "import-statement") wanted.add(imported);
        }
      }
      for (const path of Object.keys(outputs)) if (!wanted.has(path)) delete outputs[path];
    });
  },
};

const asModules = { format: "esm", splitting: true };
const atFirst = (config) => ({ ...config, ...asModules, plugins: [filesOfTheStart] });
const altogether = (config) => ({ ...config, ...asModules });

const row = (name, names, limit, modifyEsbuildConfig) => ({
  name,
  path: "dist/index.js",
  import: names,
  limit,
  gzip: true,
  // Files of their own, which the first cache and the first form load; esbuild makes them for pages without these as well.
  ignore: ["lru-cache", "multipasta"],
  modifyEsbuildConfig,
});

export default [
  row("createHttpClient alone, at first", "{ createHttpClient }", "9.45 KB", atFirst),
  row("createHttpClient alone, and what it may load", "{ createHttpClient }", "40.6 KB", altogether),
  row("createHttpClient alone, in one file", "{ createHttpClient }", "31.3 KB"),
  row("createExposureFetch alone, at first", "{ createExposureFetch }", "8.9 KB", atFirst),
  row("createExposureFetch alone, and what it may load", "{ createExposureFetch }", "40 KB", altogether),
  row("a client and the serializer, at first", "{ createHttpClient, Serializer }", "22.55 KB", atFirst),
  row("one phantom, by r, at first", "{ r }", "9.5 KB", atFirst),
  row("one phantom, by r", "{ r }", "9.4 KB"),
  row("one phantom, by defineTask", "{ defineTask }", "2.5 KB"),
  row("one phantom and run, at first", "{ r, run }", "38 KB", atFirst),
  row("one small class", "{ Semaphore }", "1.2 KB"),
  row("all of .", "*", "122.9 KB", atFirst),
  { name: "./errors", path: "dist/errors/index.js", import: "*", limit: "6.4 KB", gzip: true },
];
