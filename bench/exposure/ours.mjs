import { ours } from "../lib/ours.mjs";
import { startExposure } from "./runnerApp.mjs";

export const start = async (options) => startExposure(await ours("node/index.js"), options);
