import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeer, startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const ours = new URL("./ours.mjs", import.meta.url);
const undici = new URL("./undici.mjs", import.meta.url);

/** The client of each peer, and the one of a single address that it is compared with. */
const peers = {
  "ours, one address": { module: ours, options: { isPooled: false }, base: "ours, one address" },
  "ours, pool of one": { module: ours, options: { isPooled: true, one: true }, base: "ours, one address" },
  "ours, pool of three": { module: ours, options: { isPooled: true }, base: "ours, one address" },
  "ours, round-robin": { module: ours, options: { isPooled: true, balance: "round-robin" }, base: "ours, one address" },
  "undici Pool": { module: undici, options: { kind: "Pool" }, base: "undici Pool" },
  "undici BalancedPool": { module: undici, options: { kind: "BalancedPool" }, base: "undici Pool" },
};
const single = ["ours, one address", "ours, pool of one", "undici Pool"];

const costs = [
  { key: "parallel", label: "32 in flight", inFlight: 32, calls: 3000 },
  { key: "sequential", label: "one after the other", inFlight: 1, calls: 1000 },
];
const shares = [
  {
    key: "even",
    label: "equal cost",
    workMs: [2, 2, 2],
    inFlight: 24,
    calls: 10_000,
    bar: "each within 10 % of a third",
  },
  {
    key: "slow",
    label: "the last ten times slower",
    workMs: [5, 5, 50],
    inFlight: 8,
    calls: 2_000,
    bar: "the last under 15 %",
  },
];

/** What choosing among endpoints costs a client, and how evenly it chooses. */
export async function bench({ quick, peers: named, rows = "" }) {
  const chosen = pick(peers, named);
  for (const row of costs.filter(({ key }) => key.includes(rows))) await measureCost(row, chosen, quick ? 5 : 15);
  for (const row of shares.filter(({ key }) => key.includes(rows))) await measureShares(row, chosen);
}

/** Starts three servers, and a client of them for each peer. */
async function startAll(chosen, workMs) {
  const servers = await Promise.all(
    workMs.map((ms) => startPeer(new URL("./server.mjs", import.meta.url), { workMs: ms })),
  );
  const ports = servers.map(({ ready }) => ready.port);
  const clients = await startPeers(
    Object.fromEntries(
      Object.entries(chosen).map(([name, { module, options }]) => [
        name,
        { module, options: { ...options, ports: options.one === true ? ports.slice(0, 1) : ports } },
      ]),
    ),
  );
  return {
    servers,
    clients,
    stop: async () => void (await Promise.all([stopAll(clients), ...servers.map((s) => s.stop())])),
  };
}

async function measureCost({ label, inFlight, calls }, chosen, rounds) {
  const { clients, stop } = await startAll(chosen, [0, 0, 0]);
  printTitle(`Pool, ${label}: calls per second, and CPU of the client per call`);
  const sample = (client) => client.call("sample", inFlight, calls);
  await interleave(clients, 3, sample);
  const samples = await interleave(clients, rounds, sample);
  const column = (name, field) => samples.get(name).map((taken) => taken[field]);
  const toBase = (name, field) =>
    samples.has(peers[name].base) ? medianRatio(column(name, field), column(peers[name].base, field)) : NaN;
  printTable(
    ["", "calls/s", "CPU us", "x CPU of one address"],
    [...samples.keys()].map((name) => [
      name,
      number(median(column(name, "rate"))),
      number(median(column(name, "cpuUs"))),
      ratio(toBase(name, "cpuUs")),
    ]),
  );
  await stop();
}

async function measureShares({ label, workMs, inFlight, calls, bar }, chosen) {
  const several = Object.fromEntries(Object.entries(chosen).filter(([name]) => !single.includes(name)));
  const { servers, clients, stop } = await startAll(several, workMs);
  const takeCounts = () => Promise.all(servers.map((server) => server.call("takeCount")));
  printTitle(`Pool, three endpoints, ${label}, ${inFlight} in flight: percent of ${calls} calls`);
  const table = [];
  for (const [name, client] of clients) {
    await takeCounts();
    const { rate } = await client.call("sample", inFlight, calls);
    const counts = await takeCounts();
    table.push([name, ...counts.map((count) => ((count * 100) / calls).toFixed(1)), number(rate)]);
  }
  printTable(["", "first", "second", "third", "calls/s"], table);
  console.log(`bar for ours: ${bar}`);
  await stop();
}
