import { ref55 } from "../lib/ref55.mjs";
import { measureBoot } from "./runnerApp.mjs";

export const start = (options) => measureBoot(ref55(), options);
