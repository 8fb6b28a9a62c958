/** What a page loads: both entries, and what makes calls for tests that run elsewhere. */
export * from "../../index";
export * from "../../platform/createFile";
export * as calls from "./pageCalls";
export * as streams from "./pageStreams";
export { runIndependentDriver } from "../support/independentDriver";
