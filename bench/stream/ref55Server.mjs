import { ref55 } from "../lib/ref55.mjs";
import { startServer } from "./runnerApp.mjs";

export const start = (options) => startServer(ref55("/node"), options);
