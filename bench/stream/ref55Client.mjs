import { ref55 } from "../lib/ref55.mjs";
import { startClient } from "./runnerApp.mjs";

export const start = (options) => startClient(ref55("/node"), options);
