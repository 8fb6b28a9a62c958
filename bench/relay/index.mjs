import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeer } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";
import { httpPeers, roundTripMs, stopTunnel, tcpPeers } from "./peers.mjs";

const at = (file) => new URL(file, import.meta.url);
const MB = 1024 * 1024;
const connections = 32;

/** Every row: what a visitor does, which ways lead there, and what is printed of it. */
const rows = [
  {
    key: "down",
    title: "Bulk, 16 streams, from the service to the visitor",
    ways: tcpPeers,
    run: (visitor, tunnel, isQuick) => crossed(visitor, tunnel, "down", 16, isQuick ? 128 : 512),
    print: printBulk,
    bar: "at most 1.7 CPU s/GB and less than OpenSSH; at least 1.2 x the MB/s of OpenSSH",
  },
  {
    key: "up",
    title: "Bulk, 16 streams, from the visitor to the service",
    ways: tcpPeers,
    run: (visitor, tunnel, isQuick) => crossed(visitor, tunnel, "up", 16, isQuick ? 128 : 512),
    print: printBulk,
    bar: "at most 1.7 CPU s/GB and less than OpenSSH; at least 1.2 x the MB/s of OpenSSH",
  },
  {
    key: "http",
    title: `Small HTTP, ${connections} connections: CPU of both ends of the tunnel`,
    ways: httpPeers,
    async run(visitor, tunnel, isQuick) {
      const times = isQuick ? 4_000 : 10_000;
      const host = tunnel.host ?? `127.0.0.1:${tunnel.port}`;
      return { seconds: await visitor.call("http", tunnel.port, host, connections, times), times };
    },
    print: printHttp,
    bar: "at most 35 us in process and 1/20 of localtunnel; at most 55 us to a local port",
  },
  {
    key: "echo",
    title: "Echo of 64 bytes, one after the other",
    ways: tcpPeers,
    run: async (visitor, tunnel, isQuick) => ({ us: await visitor.call("echo", tunnel.port, isQuick ? 500 : 2_000) }),
    print: printEcho,
    bar: "at most 130 us over direct",
  },
  {
    key: "long",
    title: `One stream over ${roundTripMs} ms there and back, from the service to the visitor`,
    ways: tcpPeers,
    isLong: true,
    run: (visitor, tunnel, isQuick) => crossed(visitor, tunnel, "down", 1, isQuick ? 64 : 256),
    print: printBulk,
    bar: "at least 60 MB/s",
  },
];

async function crossed(visitor, tunnel, direction, streams, megabytes) {
  return { seconds: await visitor.call("bulk", tunnel.port, direction, streams, megabytes * MB), megabytes };
}

/** What a relay and its driver cost beside other ways to the same service. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const service = await startPeer(at("./service.mjs"));
  const visitor = await startPeer(at("./visitor.mjs"));
  for (const row of rows.filter(({ key }) => key.includes(text)))
    await measure(row, { service, visitor, quick, named });
  if ("idle".includes(text)) await measureIdle(service, quick ? 300 : 1_000);
  await visitor.stop();
  await service.stop();
}

async function measure({ title, ways, isLong = false, run, print, bar }, { service, visitor, quick, named }) {
  printTitle(title);
  const tunnels = new Map();
  for (const [name, start] of Object.entries(pick(ways(service.ready), named))) {
    try {
      tunnels.set(name, await start(isLong));
    } catch (error) {
      console.error(`${name}: ${error.message}`);
    }
  }
  const sample = async (tunnel) => {
    const before = await tunnel.cpuMs?.();
    const seen = await run(visitor, tunnel, quick);
    const cpuMs = tunnel.cpuMs === undefined ? NaN : (await tunnel.cpuMs()) - before;
    return { ...seen, cpuMs };
  };
  // Engines take some thousand requests to compile what is called often.
  await interleave(tunnels, quick ? 1 : 3, sample);
  print(await interleave(tunnels, quick ? 3 : 7, sample));
  console.log(`bar for ours: ${bar}`);
  for (const tunnel of tunnels.values()) await stopTunnel(tunnel);
}

/** Medians of what `read` makes of a sample, by peer, and their ratio to another peer. */
const columnsOf = (samples) => ({
  names: [...samples.keys()],
  middle: (name, read) => median(samples.get(name).map(read)),
  over: (name, base, read) =>
    samples.has(base) ? medianRatio(samples.get(name).map(read), samples.get(base).map(read)) : NaN,
});

const gigabytes = ({ megabytes }) => (megabytes * MB) / 1e9;

function printBulk(samples) {
  const { names, middle, over } = columnsOf(samples);
  const rate = ({ megabytes, seconds }) => megabytes / seconds;
  const cpu = (taken) => taken.cpuMs / 1000 / gigabytes(taken);
  printTable(
    ["", "MB/s", "x OpenSSH", "CPU s/GB", "x OpenSSH"],
    names.map((name) => [
      name,
      number(middle(name, rate)),
      ratio(over(name, "OpenSSH -R", rate)),
      number(middle(name, cpu)),
      ratio(over(name, "OpenSSH -R", cpu)),
    ]),
  );
}

function printHttp(samples) {
  const { names, middle, over } = columnsOf(samples);
  const cpu = ({ cpuMs, times }) => (cpuMs * 1000) / times;
  printTable(
    ["", "CPU us/request", "x localtunnel", "x OpenSSH", "requests/s"],
    names.map((name) => [
      name,
      number(middle(name, cpu)),
      ratio(over(name, "localtunnel", cpu)),
      ratio(over(name, "OpenSSH -R", cpu)),
      number(middle(name, ({ times, seconds }) => times / seconds)),
    ]),
  );
}

function printEcho(samples) {
  const { names, middle } = columnsOf(samples);
  const us = (taken) => taken.us;
  printTable(
    ["", "p50 us", "over direct"],
    names.map((name) => [
      name,
      number(middle(name, us)),
      samples.has("direct") ? number(middle(name, us) - middle("direct", us)) : "-",
    ]),
  );
}

/** Memory of both ends, before and while so many visitors are connected and wait. */
async function measureIdle(service, count) {
  printTitle(`${count} streams at the same time that wait: memory of each end`);
  // A process of its own: what it holds open is not of the next rows.
  const visitor = await startPeer(at("./visitor.mjs"));
  const tunnel = await tcpPeers(service.ready).ours(false);
  const memory = () => Promise.all(tunnel.ends.map((end) => end.call("rssKb")));
  // What the first streams make is made once.
  await visitor.call("openIdle", tunnel.port, 20);
  await visitor.call("closeIdle");
  const before = await memory();
  const opened = await visitor.call("openIdle", tunnel.port, count);
  await visitor.call("askIdle");
  const after = await memory();
  const perStream = after.map((kb, end) => (kb - before[end]) / opened);
  printTable(
    ["", "KB per stream"],
    [
      ["relay", number(perStream[0])],
      ["driver", number(perStream[1])],
    ],
  );
  console.log("bar for ours: no error, at most 10 KB");
  await stopTunnel(tunnel);
  await visitor.stop();
}
