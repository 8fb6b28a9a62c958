import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { relayToken, startRelay, startService, visit } from "../support/relay/relay";
import { root } from "../support/root";

beforeAll(ensureBuilt, buildTimeoutMs);

/** `runner tunnel expose` in a process that may have so many files and sockets open. */
async function startLimitedDriver(relay: string, port: number, descriptors: number) {
  const command = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  const args = [join(root, "dist/cli.js"), "tunnel", "expose", String(port), "--relay", relay, "--json"];
  const child = spawn("sh", ["-c", command, process.execPath, ...args], {
    env: { ...process.env, RUNNER_TUNNEL_TOKEN: relayToken },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { port: containerPort, sessionId } = JSON.parse(line) as { port: number; sessionId: string };
  return {
    containerPort,
    sessionId,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

it("a driver that runs out of descriptors tells the visitors it cannot serve 502, and keeps its session", async () => {
  await using relay = await startRelay();
  const held: (() => void)[] = [];
  let isHolding = true;
  await using service = await startService((_req, res) => {
    const answer = (): void => void res.end("served");
    if (isHolding) held.push(answer);
    else answer();
  });
  await using driver = await startLimitedDriver(relay.relay.url, service.port, 60);

  let refused = 0;
  const visits = Array.from({ length: 200 }, async () => {
    const reply = await visit(driver.containerPort);
    if (reply.status !== 200) refused += 1;
    return reply;
  });
  // Each is held by the service, or refused.
  while (held.length + refused < 200) await new Promise(setImmediate);
  isHolding = false;
  for (const answer of held) answer();
  const replies = await Promise.all(visits);
  const next = await visit(driver.containerPort);

  const outcomes = replies.map(({ status, headers }) => `${status} ${String(headers["x-hoody-tunnel-error"] ?? "")}`);
  expect(new Set(outcomes)).toEqual(new Set(["200 ", "502 LOCAL_CONNECT_FAILED"]));
  expect(next.status).toBe(200);
  expect(relay.relay.sessions()).toMatchObject([{ sessionId: driver.sessionId, isAttached: true }]);
}, 120_000);
