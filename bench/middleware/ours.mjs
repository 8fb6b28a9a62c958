import { ours } from "../lib/ours.mjs";
import { startApp } from "./runnerApp.mjs";

export const start = async ({ row }) => startApp(await ours("index.js"), row);
