import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
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

/** What tells bundlers that a call can go when its result is unused, and an operand that stands for it where comments are lost. */
const mark = "/* @__PURE__ */";
const operand = "__PURE__+";

/** Takes the blanks out of modules, which are a sixth of them, and leaves the marks for bundlers. Names stay as they are written. */
const denseModules: Plugin = {
  name: "dense-modules",
  async renderChunk(code, { path }) {
    if (!path.endsWith(".js")) return undefined;
    const marked = code.replaceAll(mark, operand);
    const dense = await transform(marked, { minifyWhitespace: true, lineLimit: 120, charset: "utf8" });
    // A line may end behind an operator, but not behind a mark: `return` would end there.
    return { code: dense.code.replace(/__PURE__\+\n?/g, mark.replaceAll(" ", "")) };
  },
};

/**
 * Writes CommonJS. tsup's own compiler of it, sucrase, makes calls of helpers of every `?.` and `??`, which takes more room and more
 * time.
 *
 * It is not tree-shaken, so it can lose the marks. Stack traces stay readable: the names of functions that stand in a file, and
 * of methods, are kept; those inside of functions are not.
 */
function commonJs(): Plugin {
  const modules = new Map<string, string>();
  return {
    name: "common-js",
    renderChunk(code, { path }) {
      if (path.endsWith(".cjs")) modules.set(path, code);
      return undefined;
    },
    async buildEnd({ writtenFiles }) {
      for (const { name } of writtenFiles.filter(({ name }) => name.endsWith(".cjs"))) {
        const { code } = await transform(modules.get(resolve(name)) ?? "", {
          format: "cjs",
          platform: "node",
          banner: '"use strict";',
          minifySyntax: true,
          // Jest cannot load modules, so what is loaded late has to be required.
          supported: { "dynamic-import": false },
        });
        // By itself, since esbuild keeps no name of what it takes for a module.
        const dense = await transform(code, {
          minifyWhitespace: true,
          minifyIdentifiers: true,
          lineLimit: 120,
          charset: "utf8",
        });
        await writeFile(name, dense.code + exportedNames(code));
      }
    },
  };
}

/** What tells Node's reader of CommonJS, and so ES modules that import from it, what a file exports; it does nothing, and is dropped. */
const exportedNames = (code: string): string =>
  /^0 && \(module\.exports = \{[^}]*\}\);$/m.exec(code)?.[0].replaceAll(/\s+/g, "") ?? "";

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

/** What `.` is where programs are seldom bundled. */
const late = "src/late.ts";

/** The command `runner`, and the programs it starts: ES modules, which nothing imports. */
const commands = {
  cli: "src/node/cli/main.ts",
  "cli/dryRun": "src/node/cli/dryRun.ts",
  "cli/entryHooks": "src/node/cli/entryHooks.ts",
};

export default defineConfig(({ watch }) => ({
  entry: { ...library, late, ...parts, ...commands },
  format: ["esm", "cjs"],
  target: "node20",
  // Code the entries share exists once per format. In CommonJS this also turns `import()` into `require`,
  // without which lazily loaded packages fail under jest.
  splitting: true,
  // No source maps. Without the sources in them they lead debuggers to files that are not there, and with the sources they are
  // half of the package.
  sourcemap: false,
  clean: !watch,
  dts: { entry: library },
  esbuildOptions(options, { format }) {
    if (format === "cjs") options.entryPoints = { ...library, index: late };
    // Read by src/node/commonJs.ts. The sources cannot mention `import.meta`, since tests run them as CommonJS.
    options.define = { ...options.define, MODULE_URL: format === "esm" ? "import.meta.url" : "undefined" };
  },
  // tsup strips the `node:` prefix by default.
  removeNodeProtocol: false,
  plugins: [droppableChunks, denseModules, commonJs()],
}));
