import { once } from "node:events";
import { tunnelExpose } from "../../node";
import { createDeferred } from "../support/deferred";
import { startRelay, startService, tellError, visit } from "../support/relay/relay";

it("a takeover while 1,000 visitors wait tells each of them 502, and the second driver serves from then on", async () => {
  await using relay = await startRelay();
  const all = createDeferred();
  const handled: string[] = [];
  await using first = await startService((req) => {
    handled.push(req.url ?? "");
    if (handled.length === 1_000) all.resolve();
  });
  await using second = await startService((_req, res) => void res.end("second"));
  await using before = await tunnelExpose({ ...relay.driver, port: first.port });
  const { containerPort } = before;
  const visits = Array.from({ length: 1_000 }, (_, index) =>
    visit(containerPort, { method: "POST", path: `/${index}` }),
  );
  await all.promise;

  const revoked = once(before.session, "bindRevoked");
  await using after = await tunnelExpose({ ...relay.driver, port: second.port, containerPort, takeover: true });
  await revoked;
  const told = await Promise.all(visits);
  const next = await Promise.all(Array.from({ length: 100 }, () => visit(containerPort)));

  expect(after.containerPort).toBe(containerPort);
  expect(new Set(told.map((reply) => String(tellError(reply))))).toEqual(new Set(["502,TUNNEL_INTERRUPTED,"]));
  expect(new Set(next.map(({ body }) => String(body)))).toEqual(new Set(["second"]));
  expect(new Set(handled).size).toBe(1_000);
  expect(before.session.activeStreams).toBe(0);
}, 120_000);
