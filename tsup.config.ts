import { defineConfig } from "tsup";

const entry = {
  index: "src/index.ts",
  "node/index": "src/node/index.ts",
  "errors/index": "src/errors/index.ts",
  "platform/createFile": "src/platform/createFile.ts",
};

export default defineConfig(({ watch }) =>
  (["esm", "cjs"] as const).map((format) => ({
    entry,
    format,
    target: "node20",
    splitting: true,
    sourcemap: true,
    clean: !watch && format === "esm",
    dts: true,
    // tsup strips the `node:` prefix by default.
    removeNodeProtocol: false,
    esbuildOptions(options) {
      // A literal `import()` in CommonJS breaks under jest's module runtime; esbuild then emits `require`.
      if (format === "cjs") options.supported = { ...options.supported, "dynamic-import": false };
    },
  })),
);
