import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { tunnelExpose, TunnelSession } from "../../node";
import { createDeferred } from "../support/deferred";
import type { DriverAnswers } from "../support/relay/driverProgram";
import { sha256, startRelay, startService, visit } from "../support/relay/relay";
import type { RelayAnswers } from "../support/relay/relayProgram";
import { startProgram } from "../support/startProgram";

const MiB = 1024 * 1024;

it("a relay carries 1,000 visitors at once through one driver, each with its own bytes", async () => {
  await using relay = await startRelay();
  const held: (() => void)[] = [];
  const all = createDeferred();
  await using service = await startService((req, res) => {
    const [, , index = "0"] = (req.url ?? "").split("/");
    held.push(() => void res.end(Buffer.alloc(50_000, index)));
    if (held.length === 1_000) all.resolve();
  });
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });

  const visits = Array.from({ length: 1_000 }, (_, index) => visit(handle.containerPort, { path: `/n/${index}` }));
  await all.promise;
  const refused = await visit(handle.containerPort);
  const { activeStreams } = handle.session;
  for (const answer of held) answer();
  const replies = await Promise.all(visits);

  expect(activeStreams).toBe(1_000);
  expect([refused.status, refused.headers["x-hoody-tunnel-error"]]).toEqual([503, "STREAM_LIMIT"]);
  const wrong = replies.filter(
    ({ status, body }, index) => status !== 200 || sha256(body) !== sha256(Buffer.alloc(50_000, String(index))),
  );
  expect(wrong).toHaveLength(0);
}, 120_000);

/** Reads so many bytes of an endless response, and leaves. */
async function readEndless(port: number, bytes: number): Promise<void> {
  const call = httpRequest({ host: "127.0.0.1", port, path: "/endless", agent: false }).end();
  const [message] = (await once(call, "response")) as [IncomingMessage];
  let left = bytes;
  for await (const piece of message as AsyncIterable<Buffer>) {
    left -= piece.length;
    if (left <= 0) break;
  }
}

it("a relay's process grows by at most 40 MiB for 100 visitors that read nothing, and they slow no other down", async () => {
  await using relay = await startProgram<RelayAnswers>("relay/relayProgram");
  await using driver = await startProgram<DriverAnswers>("relay/driverProgram");
  const port = await driver.ask("publish", await relay.ask("url"));
  const visitMany = async (): Promise<void> => {
    for (let count = 0; count < 50; count++) expect((await visit(port)).status).toBe(200);
  };
  // What a process keeps once it has carried as much is not what stalled visitors cost.
  await visitMany();
  await readEndless(port, 300 * MiB);
  const before = await relay.ask("memory");
  const stalled: Socket[] = [];
  for (let index = 0; index < 100; index++) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.pause().write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stalled.push(socket);
  }
  // All of them stand still once nothing more is produced while others are served.
  for (let last = -1, produced = 0; last !== produced;) {
    last = produced;
    await visitMany();
    produced = await driver.ask("produced");
  }
  const after = await relay.ask("memory");
  for (const socket of stalled) socket.destroy();

  expect((after.resident - before.resident) / MiB).toBeLessThan(40);
  // Each is held a window of 256 KiB.
  expect((after.used - before.used) / MiB).toBeLessThan(40);
}, 120_000);

it("a relay keeps its session while 4,000 visitors leave before they are answered, and serves the next", async () => {
  await using relay = await startRelay();
  await using service = await startService((req, res) => (req.url === "/" ? res.end("ok") : undefined));
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const { sessionId } = handle.session;
  for (let left = 4_000; left > 0; left -= 100) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const call = httpRequest({ host: "127.0.0.1", port: handle.containerPort, path: "/leave", agent: false });
        call.on("error", () => {}).end();
        call.once("socket", (socket) => socket.once("connect", () => setImmediate(() => call.destroy())));
        await new Promise((resolve) => call.once("close", resolve));
      }),
    );
  }
  // Visitors who leave at once make a relay slow down for a while.
  let reply = await visit(handle.containerPort);
  while (reply.status === 503) reply = await visit(handle.containerPort);

  expect(reply.status).toBe(200);
  expect([handle.session.state, handle.session.sessionId]).toEqual(["connected", sessionId]);
  while (handle.session.activeStreams > 0) await new Promise(setImmediate);
  expect(relay.relay.sessions()).toMatchObject([{ activeStreams: 0, isAttached: true }]);
}, 120_000);

it("a relay serves 300 sessions, each with a binding of its own, and keeps none of them", async () => {
  await using relay = await startRelay({
    limits: { maxSessions: 300, maxSessionsPerPrincipal: 300, maxPreAuthConnections: 300 },
  });
  await using service = await startService((_req, res) => res.end("ok"));
  const handles = await Promise.all(
    Array.from({ length: 300 }, () => tunnelExpose({ ...relay.driver, port: service.port })),
  );

  const replies = await Promise.all(handles.map(({ containerPort }) => visit(containerPort)));
  const { data } = await relay.admin.listTunnels();
  await using extra = new TunnelSession({ ...relay.driver, maxAttempts: 1 });
  const refused = await extra.ready().catch((error: Error) => error.message);
  await Promise.all(handles.map((handle) => handle.close()));
  while (relay.relay.sessions().length > 0) await new Promise(setImmediate);

  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect([data.sessions.length, data.totalBindings]).toEqual([300, 300]);
  expect(refused).toContain("CAPACITY");
  expect((await relay.admin.listBindings()).data.bindings).toEqual([]);
}, 120_000);
