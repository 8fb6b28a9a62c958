import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { listen } from "../lib/listen.mjs";

const reply = JSON.stringify({ ok: true, result: 3 });
const head = { "content-type": "application/json", "content-length": Buffer.byteLength(reply) };

/** One of three endpoints: answers what it always answers, after a while, and counts. */
export async function start({ workMs }) {
  let count = 0;
  const server = createServer((req, res) => {
    count += 1;
    const answer = () => res.writeHead(200, head).end(reply);
    req.resume().on("end", () => (workMs > 0 ? setTimeout(answer, workMs) : answer()));
  });
  return {
    port: await listen(server),
    takeCount: () => {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}
