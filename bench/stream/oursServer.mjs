import { ours } from "../lib/ours.mjs";
import { startServer } from "./runnerApp.mjs";

export const start = async (options) => startServer(await ours("node/index.js"), options);
