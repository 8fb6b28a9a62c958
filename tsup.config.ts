import { defineConfig } from "tsup";

export default defineConfig(({ watch }) => ({
  entry: {
    index: "src/index.ts",
    "node/index": "src/node/index.ts",
    "errors/index": "src/errors/index.ts",
    "platform/createFile": "src/platform/createFile.ts",
  },
  format: ["esm", "cjs"],
  target: "node20",
  // Code the entries share exists once per format. In CommonJS this also turns `import()` into `require`,
  // without which lazily loaded packages fail under jest.
  splitting: true,
  sourcemap: true,
  clean: !watch,
  dts: true,
  // tsup strips the `node:` prefix by default.
  removeNodeProtocol: false,
}));
