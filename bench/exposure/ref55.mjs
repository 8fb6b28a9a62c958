import { ref55 } from "../lib/ref55.mjs";
import { startExposure } from "./runnerApp.mjs";

export const start = (options) => startExposure(ref55("/node"), options);
