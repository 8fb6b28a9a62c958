import { ours } from "../lib/ours.mjs";
import { startUploads } from "./runnerApp.mjs";

export const start = async () => startUploads(await ours("node/index.js"));
