import { ref55 } from "../lib/ref55.mjs";
import { startCalls } from "./runnerApp.mjs";

export const start = async ({ row }) =>
  row === "plain" ? startCalls(ref55("/node"), "routed", row) : { missing: true };
