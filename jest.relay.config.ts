/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:relay`: reverse tunnels with real parties, which Debian packages and .ci/relay bring. */
const config: Config = {
  ...base,
  testMatch: ["**/*.relay.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/src/__tests__/relay/support/checkParties.ts",
};

export default config;
