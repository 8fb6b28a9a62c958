import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { listen } from "../lib/listen.mjs";
import { report, token } from "./payload.mjs";

const headers = { "x-runner-token": token };

/** The least a JSON server does: no checks, and dates stay the strings they came as. */
export async function start() {
  const server = createServer((req, res) => {
    const chunks = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      const { input } = JSON.parse(chunks.length === 1 ? chunks[0].toString() : Buffer.concat(chunks).toString());
      const text = JSON.stringify({ ok: true, result: req.url === "/add" ? input.a + input.b : input });
      res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      res.end(text);
    });
  });
  return {
    port: await listen(server),
    requests: {
      add: { path: "/add", headers, body: JSON.stringify({ input: { a: 1, b: 2 } }) },
      dates: { path: "/inspect", headers, body: JSON.stringify({ input: report() }) },
    },
  };
}
