import { readFile, writeFile } from "node:fs/promises";
import { transform } from "esbuild";
import { defineConfig, type Options } from "tsup";

type Plugin = NonNullable<Options["plugins"]>[number];

/**
 * Keeps the chunks free of statements with effects, which bundlers could not drop.
 *
 * esbuild fills the object of `export * as Errors` in a statement, and with it every error ends up in every application;
 * as a marked call it goes when unused. An import without names only says that a chunk without effects exists.
 */
const droppableChunks: Plugin = {
  name: "droppable-chunks",
  renderChunk: (code) => ({
    code: code
      .replace(/^(var __export = \(target, all\) => \{[^}]*\}\);)$/m, "$1 return target;")
      .replace(/^var (\w+) = \{\};\n__export\(\1, \{$/gm, "var $1 =\n/* @__PURE__ */ __export({}, {")
      .replace(/^import "[./]+\/chunk-\w+\.c?js";$/gm, "")
      // A line for each name takes more room than the names.
      .replace(/^(?:import|export) \{\n[^}]*\n\}/gm, (list) => list.replace(/\n */g, ""))
      // The names of source files, which the package does not hold.
      .replace(/^\/\/ src\/[\w/.]+\n/gm, ""),
  }),
};

/** The commands, and what Node alone loads: late, or by an entry that nothing of a page is in. */
const ofNodeAlone =
  /\/dist\/(?:cli(?:\/\w+)?|node\/(?:nats|otel)\/index|(?:tunnel|serverCommands|contractCommands|eventsCommands|startRelay|startExposure|links|targets)-\w+)\.js$/;

/** Takes the blanks out of modules that need no marks for bundlers, which are lost with them. */
const denseNode: Plugin = {
  name: "dense-node",
  async renderChunk(code, { path }) {
    if (!ofNodeAlone.test(path)) return undefined;
    const dense = await transform(code, { minifyWhitespace: true, lineLimit: 120, charset: "utf8" });
    return { code: dense.code };
  },
};

/**
 * Takes the blanks out of CommonJS, where they are a quarter of the code; it is not tree-shaken, so it can lose the marks that
 * go with them.
 *
 * After all else: sucrase, by which tsup writes CommonJS, makes `return_nullishCoalesce(...)` of `return(a)??b`.
 */
const denseCommonJs: Plugin = {
  name: "dense-common-js",
  async buildEnd({ writtenFiles }) {
    const chunks = writtenFiles.map(({ name }) => name).filter((name) => name.endsWith(".cjs"));
    for (const name of chunks) {
      const code = await readFile(name, "utf8");
      const dense = await transform(code, {
        minifyWhitespace: true,
        minifySyntax: true,
        lineLimit: 120,
        charset: "utf8",
      });
      await writeFile(name, dense.code);
    }
  },
};

const library = {
  index: "src/index.ts",
  "node/index": "src/node/index.ts",
  "node/otel/index": "src/node/otel/index.ts",
  "node/nats/index": "src/node/nats/index.ts",
  "errors/index": "src/errors/index.ts",
  "platform/createFile": "src/platform/createFile.ts",
};

/** Not an entry of the package: has esbuild keep in one file what bundlers are to find apart from the rest. */
const parts = { light: "src/light.ts" };

/** The command `runner`, and the programs it starts: ES modules, which nothing imports. */
const commands = {
  cli: "src/node/cli/main.ts",
  "cli/dryRun": "src/node/cli/dryRun.ts",
  "cli/entryHooks": "src/node/cli/entryHooks.ts",
};

export default defineConfig(({ watch }) => ({
  entry: { ...library, ...parts, ...commands },
  format: ["esm", "cjs"],
  target: "node20",
  // Code the entries share exists once per format. In CommonJS this also turns `import()` into `require`,
  // without which lazily loaded packages fail under jest.
  splitting: true,
  // No source maps. Without the sources in them they lead debuggers away from code that can be read to files that are not
  // there, and with the sources they are half of the package.
  sourcemap: false,
  clean: !watch,
  dts: { entry: library },
  esbuildOptions(options, { format }) {
    if (format === "cjs") options.entryPoints = library;
    // Read by src/node/commonJs.ts. The sources cannot mention `import.meta`, since tests run them as CommonJS.
    options.define = { ...options.define, MODULE_URL: format === "esm" ? "import.meta.url" : "undefined" };
  },
  // tsup strips the `node:` prefix by default.
  removeNodeProtocol: false,
  plugins: [droppableChunks, denseNode, denseCommonJs],
}));
