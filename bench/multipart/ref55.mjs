import { ref55 } from "../lib/ref55.mjs";
import { startUploads } from "./runnerApp.mjs";

export const start = () => startUploads(ref55("/node"));
