import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "../lib/listen.mjs";
import { inspect, report, token } from "./payload.mjs";

const expected = Buffer.from(token);
const maxBytes = 2 * 1024 * 1024;
const scope = new AsyncLocalStorage();
const headers = { "x-runner-token": token };
let requests = 0;

/** Dates of the fields known to have them. */
function revive(input) {
  for (const shipment of input.shipments) shipment.sentAt = new Date(shipment.sentAt);
  return input;
}

const routes = new Map([
  ["/__runner/task/app.tasks.add", async ({ a, b }) => a + b],
  ["/__runner/task/app.tasks.inspect", async (input) => inspect(revive(input))],
]);

function isAuthentic(given) {
  if (given === undefined) return false;
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

function reply(res, status, value) {
  const text = JSON.stringify(value);
  res.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-runner-request-id": `bench-${(++requests).toString(36)}`,
  });
  res.end(text);
}

/** What an exposure owes every request, written for these two tasks: the least that ours could cost. */
export async function start() {
  const server = createServer((req, res) => {
    if (req.method !== "POST") return reply(res, 405, { ok: false });
    if (!isAuthentic(req.headers["x-runner-token"])) return reply(res, 401, { ok: false });
    const route = routes.get(req.url);
    if (route === undefined) return reply(res, 403, { ok: false });
    const chunks = [];
    let bytes = 0;
    res.on("close", () => {
      if (!res.writableFinished) req.destroy();
    });
    req.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > maxBytes) req.destroy();
      else chunks.push(chunk);
    });
    req.on("end", () => {
      const { input } = JSON.parse((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString());
      scope.run({ req, res }, route, input).then(
        (result) => reply(res, 200, { ok: true, result }),
        () => reply(res, 500, { ok: false }),
      );
    });
  });
  return {
    port: await listen(server),
    requests: {
      add: { path: "/__runner/task/app.tasks.add", headers, body: JSON.stringify({ input: { a: 1, b: 2 } }) },
      dates: { path: "/__runner/task/app.tasks.inspect", headers, body: JSON.stringify({ input: report() }) },
    },
  };
}
