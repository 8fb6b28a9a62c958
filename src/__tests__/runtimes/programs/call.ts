/** Makes all calls from Node, Deno or Bun: `call.mjs <address as JSON> <name of the runtime>`. */
import process from "node:process";
import { universalCalls } from "../app/calls";
import type { Address } from "../app/definitions";
import { nodeCalls } from "../app/nodeCalls";
import { tryAll } from "../app/report";

const [, , address = "", key = ""] = process.argv;
const where = JSON.parse(address) as Address;
// Bundles in CommonJS have no `await` at their top level.
void tryAll({ ...universalCalls(where, key), ...nodeCalls(where, key) }).then((report) => {
  console.log(`report ${JSON.stringify(report)}`);
});
