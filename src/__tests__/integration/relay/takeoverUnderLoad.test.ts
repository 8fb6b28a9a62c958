import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../../node";
import { relayToken, startRelay, startService, visit } from "../../support/relay/relay";
import { startFaultyProxy } from "../../support/relay/faultyProxy";
import { soon } from "../../support/soon";

it("a takeover while 200 visitors are served cuts or tells each of them, and the next ones are served by the new driver", async () => {
  await using relay = await startRelay();
  const waiting: (() => void)[] = [];
  let begun = (): void => {};
  const allBegun = new Promise<void>((resolve) => (begun = resolve));
  const handled: string[] = [];
  await using first = await startService((req, res) => {
    handled.push(req.url ?? "");
    // Half of them have a beginning of their response, half have nothing.
    if (handled.length % 2 === 0) res.writeHead(200, { "content-length": 10 }).write("half ");
    waiting.push(() => void res.end());
    if (waiting.length === 200) begun();
  });
  await using second = await startService((_req, res) => void res.end("second"));
  await using before = await tunnelExpose({ ...relay.driver, port: first.port });
  const { containerPort } = before;
  const outcomes = Array.from({ length: 200 }, async (_, index) => {
    const call = httpRequest({
      host: "127.0.0.1",
      port: containerPort,
      path: `/${index}`,
      method: "POST",
      agent: false,
    });
    const answered = once(call.end(), "response") as Promise<[IncomingMessage]>;
    const [message] = await answered;
    return buffer(message).then(
      () => message.statusCode,
      (error: NodeJS.ErrnoException) => error.code,
    );
  });
  await soon(allBegun);

  const revoked = once(before.session, "bindRevoked");
  await using after = await tunnelExpose({ ...relay.driver, port: second.port, containerPort, takeover: true });
  await soon(revoked);
  const told = await soon(Promise.all(outcomes));
  const next = await Promise.all(Array.from({ length: 50 }, () => visit(containerPort)));

  expect(after.containerPort).toBe(containerPort);
  expect([told.filter((each) => each === 502).length, told.filter((each) => each === "ECONNRESET").length]).toEqual([
    100, 100,
  ]);
  expect(new Set(next.map(({ body }) => String(body)))).toEqual(new Set(["second"]));
  expect(new Set(handled).size).toBe(200);
});

it("a name that a driver without a network still holds can be taken over at once by the same caller", async () => {
  await using relay = await startRelay({ publicUrlPattern: "http://{name}.localhost" });
  await using service = await startService((_req, res) => void res.end("here"));
  await using proxy = await startFaultyProxy(relay.relay.port);
  await using lost = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port, name: "web" });
  proxy.faults = { up: { isBlackHole: true }, down: { isBlackHole: true } };

  await using back = await tunnelExpose({ ...relay.driver, port: service.port, name: "web", takeover: true });

  expect(back.containerPort).toBe(lost.containerPort);
  expect(String((await visit(back.containerPort)).body)).toBe("here");
  proxy.cut();
});

it("a driver whose first connection fails goes on until there is a relay", async () => {
  await using away = await startRelay();
  await using service = await startService((_req, res) => void res.end("here"));
  // Nothing answers behind the proxy until it is told so.
  await using proxy = await startFaultyProxy(away.relay.port, {}, (index) =>
    index < 2 ? { up: { resetAfterBytes: 1 } } : undefined,
  );

  await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });

  expect(proxy.accepted).toBe(3);
  expect(String((await visit(handle.containerPort)).body)).toBe("here");
});
