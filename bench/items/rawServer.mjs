import { once } from "node:events";
import { createServer } from "node:http";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { parsedLines, writtenLines } from "./lines.mjs";
import { countRows, rowsOf } from "./rows.mjs";

/** NDJSON by hand, both ways: lines gathered to 16 KiB, and a wait where the connection is full. */
export async function start() {
  const server = createServer(async (request, response) => {
    const [, kind, count] = request.url.split("/");
    if (kind === "count") {
      const arrived = await countRows(parsedLines(request));
      response.writeHead(200, { "content-type": "application/json" }).end(String(arrived));
      return;
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    for (const text of writtenLines(rowsOf(kind, Number(count)))) {
      if (!response.write(text)) await once(response, "drain");
    }
    response.end();
  });
  return { port: await listen(server), cpuMs };
}
