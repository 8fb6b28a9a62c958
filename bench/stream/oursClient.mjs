import { ours } from "../lib/ours.mjs";
import { startClient } from "./runnerApp.mjs";

export const start = async (options) => startClient(await ours("node/index.js"), options);
