import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { listen } from "../lib/listen.mjs";

/** What each protocol says for "3". */
const replies = new Map(
  Object.entries({
    "/__runner/task/app.tasks.add": { ok: true, result: 3 },
    "/rpc/add": { json: 3 },
    "/trpc/add": { result: { data: 3 } },
  }).map(([path, reply]) => [path, JSON.stringify(reply)]),
);

/** Reads the request to its end and answers what it always answers. */
export async function start() {
  const server = createServer((req, res) => {
    req.resume().on("end", () => {
      const text = replies.get(req.url.split("?", 1)[0]);
      if (text === undefined) return res.writeHead(404, { "content-length": 0 }).end();
      res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      res.end(text);
    });
  });
  return { port: await listen(server) };
}
