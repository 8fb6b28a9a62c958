/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:scale`: several servers of the same tasks, killed and restarted under load. */
const config: Config = {
  ...base,
  testMatch: ["**/*.scale.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  // Each keeps several processes busy.
  maxWorkers: 1,
  testTimeout: 60_000,
};

export default config;
