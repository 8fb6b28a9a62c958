import { startPeer } from "../lib/peerProcess.mjs";
import { isInstalled } from "./openssh.mjs";

const at = (file) => new URL(file, import.meta.url);
const cpuOf = async (processes) => {
  const usages = await Promise.all(processes.map((each) => each.call("usage")));
  return usages.reduce((total, { cpuMs }) => total + cpuMs, 0);
};

/** There and back again, in ms, where the way is long. */
export const roundTripMs = 50;

/** A way that is long in both directions, or the port itself. */
const way = async (isLong, port) =>
  isLong ? startPeer(at("./delay.mjs"), { port, delayMs: roundTripMs / 2 }) : undefined;

/**
 * A tunnel that is up: where its visitors go, what it costs (the CPU time of both its ends), and its processes.
 *
 * @param kind what is reached through it: "pull" the TCP service, "expose" the HTTP service, "serve" the same answer
 * in the process of the driver
 */
const ours = (kind) =>
  async function start(service, isLong) {
    const relay = await startPeer(at("./oursRelay.mjs"));
    const link = await way(isLong, relay.ready.port);
    const localPort = kind === "pull" ? service.tcpPort : service.httpPort;
    const relayPort = link?.ready.port ?? relay.ready.port;
    const driver = await startPeer(at("./oursDriver.mjs"), { relayPort, kind, localPort });
    const { port } = driver.ready;
    const ends = [relay, driver];
    return { port, cpuMs: () => cpuOf(ends), ends, processes: [driver, relay, link] };
  };

const direct = (service, port) =>
  async function start(isLong) {
    const link = await way(isLong, service[port]);
    return { port: link?.ready.port ?? service[port], processes: [link] };
  };

const openssh = (service, port) =>
  async function start(isLong) {
    if (!isInstalled()) throw new Error("sshd is not installed: apt-get install openssh-server openssh-client");
    const server = await startPeer(at("./openssh.mjs"), { localPorts: [service[port]] });
    const link = await way(isLong, server.ready.port);
    await server.call("dial", link?.ready.port ?? server.ready.port);
    return { port: server.ready.ports[0], cpuMs: () => server.call("cpu"), processes: [server, link] };
  };

async function localtunnel(service) {
  const server = await startPeer(at("./localtunnelServer.mjs"));
  const driver = await startPeer(at("./localtunnelDriver.mjs"), {
    serverPort: server.ready.port,
    localPort: service.httpPort,
  });
  const ends = [server, driver];
  const { host } = driver.ready;
  return { port: server.ready.port, host, cpuMs: () => cpuOf(ends), processes: [driver, server] };
}

/** Ways to the TCP service. */
export const tcpPeers = (service) => ({
  direct: direct(service, "tcpPort"),
  ours: (isLong) => ours("pull")(service, isLong),
  "OpenSSH -R": openssh(service, "tcpPort"),
});

/** Ways to the small answer over HTTP. */
export const httpPeers = (service) => ({
  direct: direct(service, "httpPort"),
  "ours: tunnelServe": () => ours("serve")(service, false),
  "ours: tunnelExpose": () => ours("expose")(service, false),
  "OpenSSH -R": openssh(service, "httpPort"),
  localtunnel: () => localtunnel(service),
});

export const stopTunnel = async ({ processes }) => {
  for (const each of processes) await each?.stop();
};
