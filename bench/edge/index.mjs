import { Pool } from "undici";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";
import { installedRuntimes, startOn } from "./runtimes.mjs";

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

/**
 * Small calls to two servers in turns.
 *
 * @param servers what is compared, and what it is compared with, by name: each with a port and what reads its CPU time in us
 */
async function compare(title, servers, { rounds, count, bar: most }) {
  const measured = new Map();
  const pools = new Map();
  try {
    for (const [name, { port }] of servers) {
      measured.set(name, []);
      pools.set(name, new Pool(`http://127.0.0.1:${port}`, { connections: callers }));
      await callMany(pools.get(name), count);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, { cpuUs }] of servers) {
        const before = await cpuUs();
        await callMany(pools.get(name), count);
        measured.get(name).push(((await cpuUs()) - before) / count);
      }
    }
  } finally {
    for (const pool of pools.values()) await pool.destroy();
  }
  const [base] = measured.keys();
  printTitle(title);
  printTable(
    ["", "server us", `x ${base}`],
    [...measured].map(([name, micros]) => [
      name,
      number(median(micros)),
      ratio(medianRatio(micros, measured.get(base))),
    ]),
  );
  console.log(`bar: at most ${most} x`);
}

/** Small calls: CPU of the server, through Hono in Node beside `nodeExposure`, on Bun and on Deno beside a server that does nothing. */
export async function bench({ quick, rows = "" }) {
  const rounds = quick ? 3 : 11;
  const count = quick ? 2_000 : 5_000;
  if ("node".includes(rows)) {
    const peers = await startPeers({
      nodeExposure: { module, options: { kind: "node" } },
      fetchExposure: { module, options: { kind: "fetch" } },
    });
    const servers = [...peers].map(([name, peer]) => [name, { port: peer.ready.port, cpuUs: () => peer.call("cpu") }]);
    try {
      await compare("Edge, Hono in Node: CPU of the server per call", servers, { rounds, count, bar });
    } finally {
      await stopAll(peers);
    }
  }
  for (const [name, runtime] of installedRuntimes().filter(([key]) => key.toLowerCase().includes(rows))) {
    const empty = await startOn(runtime, "empty");
    const ours = await startOn(runtime, "ours");
    try {
      const servers = [
        ["an empty server", empty],
        ["fetchExposure", ours],
      ];
      // The kernel counts in steps of 10 ms.
      await compare(`Edge, ${name}: CPU of the server per call`, servers, {
        rounds,
        count: count * 4,
        bar: runtime.bar,
      });
    } finally {
      await empty.stop();
      await ours.stop();
    }
  }
}
