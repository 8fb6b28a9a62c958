/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:runtimes`: the packed package in other runtimes, bundlers, web frameworks and editors. */
const config: Config = {
  ...base,
  testMatch: ["**/*.runtimes.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/src/__tests__/runtimes/support/createProject.ts",
  globalTeardown: "<rootDir>/src/__tests__/runtimes/support/removeProject.ts",
  testTimeout: 60_000,
};

export default config;
