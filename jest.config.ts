/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

const config: Config = {
  testEnvironment: "node",
  roots: ["<rootDir>/src", "<rootDir>/examples"],
  testMatch: ["**/*.test.ts"],
  moduleNameMapper: {
    "^@bluelibs/runner$": "<rootDir>/src/index.ts",
    "^@bluelibs/runner/node$": "<rootDir>/src/node/index.ts",
    "^@bluelibs/runner/errors$": "<rootDir>/src/errors/index.ts",
    "^@bluelibs/runner/platform/createFile$": "<rootDir>/src/platform/createFile.ts",
  },
  transform: {
    "^.+\\.ts$": ["ts-jest", { tsconfig: { module: "CommonJS", moduleResolution: "Node10", verbatimModuleSyntax: false }, isolatedModules: true, diagnostics: false }],
  },
};

export default config;
