import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import busboy from "busboy";
import { listen } from "../lib/listen.mjs";
import { countBytes } from "./form.mjs";

/** Reads the files the way the other peers' handlers do, so that only what is around it differs. */
export async function start() {
  const server = createServer((req, res) => {
    const files = [];
    const parser = busboy({ headers: req.headers })
      .on("file", (_name, stream) => files.push(countBytes(stream)))
      .on("close", async () => {
        const sizes = await Promise.all(files);
        const text = JSON.stringify({ ok: true, result: sizes.reduce((sum, size) => sum + size, 0) });
        res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
        res.end(text);
      });
    req.pipe(parser);
  });
  return { port: await listen(server) };
}
