import { once } from "node:events";
import { createServer } from "node:http";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { rowsOf } from "./rows.mjs";

/** NDJSON by hand: lines gathered to 16 KiB, and a wait where the connection is full. */
export async function start() {
  const server = createServer(async (request, response) => {
    const [, kind, count] = request.url.split("/");
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    let text = "";
    for (const row of rowsOf(kind, Number(count))) {
      text += `${JSON.stringify(row)}\n`;
      if (text.length < 16_384) continue;
      if (!response.write(text)) await once(response, "drain");
      text = "";
    }
    response.end(text);
  });
  return { port: await listen(server), cpuMs };
}
