import { ours } from "../lib/ours.mjs";
import { measureBoot } from "./runnerApp.mjs";

export const start = async (options) => measureBoot(await ours("late.js"), options);
