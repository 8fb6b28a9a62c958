import { ours } from "../lib/ours.mjs";
import { startCalls } from "./runnerApp.mjs";

export const start = async ({ row }) => startCalls(await ours("node/index.js"), "nested", row);
