import { ref55 } from "../lib/ref55.mjs";
import { measureRunner } from "./runner.mjs";

export const start = (options) => measureRunner(ref55(), options);
