import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { sha256, startRelay, startService, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

it("a service that reads none of 100 uploads slows no other visitor down, and has each whole once it reads", async () => {
  await using relay = await startRelay();
  const stalled: [IncomingMessage, ServerResponse][] = [];
  const all = createDeferred();
  await using service = await startService((req, res) => {
    if (req.url === "/other") return void res.end("served");
    stalled.push([req, res]);
    if (stalled.length === 100) all.resolve();
  });
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const { sessionId } = handle.session;
  // Each is larger than its window.
  const body = randomBytes(700_000);
  const uploads = Array.from({ length: 100 }, () => visit(handle.containerPort, { method: "POST", body }));
  await soon(all.promise);

  for (let time = 0; time < 20; time++) {
    expect(String((await soon(visit(handle.containerPort, { path: "/other" }))).body)).toBe("served");
  }
  const { activeStreams } = handle.session;
  for (const [req, res] of stalled) void buffer(req).then((received) => res.end(sha256(received)));
  const replies = await Promise.all(uploads);

  expect(activeStreams).toBe(100);
  expect(new Set(replies.map((reply) => String(reply.body)))).toEqual(new Set([sha256(body)]));
  expect([handle.session.state, handle.session.sessionId]).toEqual(["connected", sessionId]);
});

it("visitors who leave before they are answered, 300 of them, end no session, and others are served meanwhile", async () => {
  await using relay = await startRelay();
  await using service = await startService((req, res) => (req.url === "/other" ? res.end("served") : undefined));
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const { sessionId } = handle.session;
  const leave = async (index: number): Promise<void> => {
    const options = { host: "127.0.0.1", port: handle.containerPort, path: "/leave", agent: false };
    const call = httpRequest(options).on("error", () => {});
    call.end();
    const left = new Promise((resolve) => call.once("close", resolve));
    const [socket] = (await once(call, "socket")) as [Socket];
    // Some leave before their request is read, some while it is served.
    await once(socket, "connect");
    for (let turn = 0; turn < index % 4; turn++) await new Promise(setImmediate);
    call.destroy();
    await left;
  };
  const statuses = new Set<number>();

  for (let round = 0; round < 10; round++) {
    const leaving = Array.from({ length: 30 }, (_, index) => leave(index));
    statuses.add((await soon(visit(handle.containerPort, { path: "/other" }))).status);
    await Promise.all(leaving);
  }
  while (handle.session.activeStreams > 0) await new Promise(setImmediate);

  expect(statuses).toEqual(new Set([200]));
  expect([handle.session.state, handle.session.sessionId]).toEqual(["connected", sessionId]);
  expect(relay.relay.sessions()).toMatchObject([{ activeStreams: 0, isAttached: true }]);
});
