/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

const config: Config = {
  testEnvironment: "node",
  roots: ["<rootDir>/src", "<rootDir>/examples"],
  testMatch: ["**/*.test.ts"],
  // Those have configs of their own.
  testPathIgnorePatterns: ["/node_modules/", "\\.(browser|nats|relay|runtimes|scale|soak)\\.test\\.ts$"],
  maxWorkers: 2,
  testSequencer: "<rootDir>/.ci/testOrder.mjs",
  // Type programs leave a worker with a heap that takes longer to give back than jest waits for its end.
  workerIdleMemoryLimit: "512MB",
  // Some tests start processes and read their output, which takes its time on a busy machine.
  testTimeout: 60_000,
  // Same names as `paths` in tsconfig.json.
  moduleNameMapper: {
    "^@bluelibs/runner(/edge|/defs)?$": "<rootDir>/src/index.ts",
    "^@bluelibs/runner/node$": "<rootDir>/src/node/index.ts",
    "^@bluelibs/runner/otel$": "<rootDir>/src/node/otel/index.ts",
    "^@bluelibs/runner/nats$": "<rootDir>/src/node/nats/index.ts",
    "^@bluelibs/runner/errors$": "<rootDir>/src/errors/index.ts",
    "^@bluelibs/runner/platform/createFile$": "<rootDir>/src/platform/createFile.ts",
  },
  transform: {
    // File by file: types are the business of `npm run typecheck`.
    "^.+\\.ts$": [
      "ts-jest",
      {
        diagnostics: false,
        tsconfig: {
          target: "ES2022",
          module: "CommonJS",
          moduleResolution: "Node10",
          isolatedModules: true,
          esModuleInterop: true,
        },
      },
    ],
  },
};

export default config;
