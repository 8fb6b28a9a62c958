import { Pool } from "undici";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median } from "../lib/stats.mjs";

const module = new URL("./server.mjs", import.meta.url);
const callers = 16;
/** `fetchExposure` may take so much more CPU than `nodeExposure` does. */
const bar = 1.5;

async function call(pool) {
  const { statusCode, body } = await pool.request({
    path: "/__runner/task/add",
    method: "POST",
    headers: { "x-runner-token": "t", "content-type": "application/json" },
    body: '{"input":{"a":1,"b":2}}',
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(text);
}

async function callMany(pool, count) {
  let left = count;
  const work = async () => {
    while (left-- > 0) await call(pool);
  };
  await Promise.all(Array.from({ length: callers }, work));
}

/** Small calls through Hono in Node: CPU of the server, both exposures in turns. */
export async function bench({ quick }) {
  const rounds = quick ? 3 : 11;
  const count = quick ? 2_000 : 5_000;
  const servers = await startPeers({
    nodeExposure: { module, options: { kind: "node" } },
    fetchExposure: { module, options: { kind: "fetch" } },
  });
  const measured = new Map();
  const pools = new Map();
  try {
    for (const [name, { ready }] of servers) {
      measured.set(name, []);
      pools.set(name, new Pool(`http://127.0.0.1:${ready.port}`, { connections: callers }));
      await callMany(pools.get(name), count);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, server] of servers) {
        const before = await server.call("cpu");
        await callMany(pools.get(name), count);
        measured.get(name).push(((await server.call("cpu")) - before) / count);
      }
    }
  } finally {
    for (const pool of pools.values()) await pool.destroy();
    await stopAll(servers);
  }
  for (const [name, micros] of measured) console.log(`${name}: ${median(micros).toFixed(1)} us of CPU a call`);
  const times = median(measured.get("fetchExposure")) / median(measured.get("nodeExposure"));
  console.log(`${times.toFixed(2)} x (at most ${bar})`);
}
