import { ours } from "../lib/ours.mjs";
import { measureRunner } from "./runner.mjs";

export const start = async (options) => measureRunner(await ours("index.js"), options);
