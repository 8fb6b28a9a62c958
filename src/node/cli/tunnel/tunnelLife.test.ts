import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startFaultyProxy } from "../../../__tests__/support/relay/faultyProxy";
import { relayToken, startRelay, startService, startTcpService, visit } from "../../../__tests__/support/relay/relay";
import { startTunnelCommand } from "../../../__tests__/support/relay/tunnelCommand";
import { soon } from "../../../__tests__/support/soon";
import { root } from "../../../__tests__/support/root";

type Line = Record<string, unknown>;

const { NODE_ENV: _mode, ...environment } = process.env;

/** A command that ends by itself, with what it printed. */
async function runTunnel(relay: string, ...args: string[]) {
  const env = { ...environment, RUNNER_TUNNEL_RELAY: relay, RUNNER_TUNNEL_TOKEN: relayToken };
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), "tunnel", ...args], { env });
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await closed) as [number];
  return { exitCode, stdout, stderr };
}

beforeAll(ensureBuilt, buildTimeoutMs);

it("a driver of the command line whose connection is cut says that its session was resumed, and serves on", async () => {
  await using relay = await startRelay();
  await using service = await startService((_req, res) => void res.end("here"));
  await using proxy = await startFaultyProxy(relay.relay.port);
  await using driver = startTunnelCommand("expose", String(service.port), "--relay", proxy.url);
  const bound = await driver.event("bound");
  proxy.cut();
  const states = [await driver.event("state"), await driver.event("state")];
  const resumed = await driver.event("resumed");
  const reply = await visit(bound["port"] as number);

  expect(states).toEqual([
    { event: "state", state: "reconnecting" },
    { event: "state", state: "connected" },
  ]);
  expect(resumed).toEqual({ event: "resumed", sessionId: bound["sessionId"] });
  expect([reply.status, String(reply.body)]).toEqual([200, "here"]);
  expect(await driver.end("SIGTERM")).toBe(0);
});

it("a TCP service that is pulled by command carries bytes both ways, each side ending by itself", async () => {
  await using relay = await startRelay();
  await using service = await startTcpService((socket) => void socket.pipe(socket));
  const at = ["--relay", relay.relay.url, "--container-port", "0"];
  await using driver = startTunnelCommand("pull", String(service.port), ...at);
  const bound = await driver.event("bound");
  const socket = connect({ host: "127.0.0.1", port: bound["port"] as number, allowHalfOpen: true });
  socket.end("there and back");

  expect(bound).toMatchObject({ publicUrl: null, bindId: expect.any(Number) as number });
  expect(await soon(text(socket))).toBe("there and back");
  expect(await driver.end("SIGINT")).toBe(0);
});

it("a session that is killed by command, and requests that are listed once, are the bodies of the relay's answers", async () => {
  await using relay = await startRelay();
  await using service = await startService((_req, res) => void res.end("here"));
  await using driver = startTunnelCommand("expose", String(service.port), "--relay", relay.relay.url);
  const { sessionId, port, bindId } = await driver.event("bound");
  await visit(port as number, { path: "/first" });
  await visit(port as number, { path: "/second" });
  const requests = await runTunnel(relay.relay.url, "requests", "list", "--json");
  const killed = await runTunnel(relay.relay.url, "sessions", "kill", sessionId as string, "--json");
  const unknown = await runTunnel(relay.relay.url, "sessions", "kill", "ts_none", "--json");

  expect([requests.exitCode, requests.stdout.trimEnd().split("\n").length]).toEqual([0, 1]);
  expect(JSON.parse(requests.stdout)).toMatchObject({
    requests: [
      { path: "/second", sessionId, bindId },
      { path: "/first", sessionId, bindId },
    ],
  });
  expect([killed.exitCode, JSON.parse(killed.stdout)]).toEqual([0, { sessionId, status: "closing" }]);
  expect([unknown.exitCode, JSON.parse(unknown.stderr)]).toEqual([
    4,
    { error: { code: "NOT_FOUND", message: "unknown session" } },
  ]);
});

it("a relay of the command line listens at the host it is told, and publishes by the pattern of its environment", async () => {
  process.env["HOODY_TUNNEL_PUBLIC_URL_PATTERN"] = "http://{name}.tun.example.com:{port}";
  await using relay = startTunnelCommand(
    "relay",
    ...["--port", "0", "--host", "127.0.0.7"],
    "--port-range",
    "22000-31999",
  );
  delete process.env["HOODY_TUNNEL_PUBLIC_URL_PATTERN"];
  const { url } = (await relay.event("listening")) as { url: string };
  await using driver = startTunnelCommand("expose", ...["1", "--name", "web", "--relay", url]);
  const bound: Line = await driver.event("bound");

  expect(url).toMatch(/^http:\/\/127\.0\.0\.7:\d+$/);
  expect(bound["publicUrl"]).toBe(`http://web.tun.example.com:${String(bound["port"])}`);
  expect(await driver.end("SIGTERM")).toBe(0);
  expect(await relay.end("SIGTERM")).toBe(0);
});
