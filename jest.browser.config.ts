/** @jest-config-loader esbuild-register */
import type { Config } from "jest";
import base from "./jest.config";

/** `npm run test:browser`: what needs a browser. */
const config: Config = { ...base, testMatch: ["**/*.browser.test.ts"], testPathIgnorePatterns: ["/node_modules/"] };

export default config;
