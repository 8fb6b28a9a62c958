/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:nats`: calls and events over a real NATS server, which each file starts for itself. */
const config: Config = {
  ...base,
  testMatch: ["**/*.nats.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/src/__tests__/nats/support/checkNatsServer.ts",
};

export default config;
