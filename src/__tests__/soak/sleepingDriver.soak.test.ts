import { setTimeout as delay } from "node:timers/promises";
import { tunnelExpose } from "../../node";
import { startFaultyProxy } from "../support/relay/faultyProxy";
import { relayToken, startRelay, tellError, visit } from "../support/relay/relay";
import { startProgram } from "../support/program";

it("a driver whose machine sleeps for 70 seconds is parked meanwhile, and has its session and port when it wakes", async () => {
  await using relay = await startRelay();
  const driver = startProgram(`
    const { createServer } = require("node:http");
    const { tunnelExpose } = node;
    const service = createServer((req, res) => req.url === "/" && res.end("awake"));
    service.listen(0, "127.0.0.1", async () => {
      const options = ${JSON.stringify(relay.driver)};
      const handle = await tunnelExpose({ ...options, port: service.address().port });
      handle.session.on("resumed", ({ resumed }) => log("resumed " + resumed));
      log("bound " + handle.containerPort + " .");
    });
  `);
  await driver.printed(" .");
  const port = Number(/^bound (\d+)/m.exec(driver.lines().join("\n"))?.[1]);
  const [before] = relay.relay.sessions();
  const waiting = visit(port, { path: "/wait" });

  driver.child.kill("SIGSTOP");
  const wakesAt = performance.now() + 70_000;
  const interrupted = await waiting;
  while (performance.now() < wakesAt) await delay(250);
  const parked = await visit(port);
  driver.child.kill("SIGCONT");
  await driver.printed("resumed true");
  const reply = await visit(port);
  const [after] = relay.relay.sessions();
  driver.child.kill("SIGKILL");
  await driver.exited;

  // What waits for a head is given up after a minute as well: either limit may come first.
  expect(["TUNNEL_INTERRUPTED", "UPSTREAM_TIMEOUT"]).toContain(interrupted.headers["x-hoody-tunnel-error"]);
  expect(tellError(parked)).toEqual([503, "TUNNEL_ORPHANED", "5"]);
  expect([reply.status, String(reply.body)]).toEqual([200, "awake"]);
  expect(after?.sessionId).toBe(before?.sessionId);
}, 120_000);

it("a driver whose relay answers nothing any more is closed without waiting for an answer to each of its goodbyes", async () => {
  await using relay = await startRelay();
  await using proxy = await startFaultyProxy(relay.relay.port);
  const handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: 1 });
  proxy.faults = { up: { isBlackHole: true }, down: { isBlackHole: true } };

  await handle.close();

  expect(handle.session.state).toBe("closed");
}, 12_000);
