/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:soak`: what takes too long for every run. */
const config: Config = {
  ...base,
  testMatch: ["**/*.soak.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  // Some wait for minutes, and do nothing meanwhile.
  maxWorkers: 3,
};

export default config;
