import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { both, exchangeThrough } from "../../support/relay/exchangeThrough";
import { startFaultyProxy, type Faults } from "../../support/relay/faultyProxy";
import { relayToken, startRelay, startService, tellError, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";
import { stopTime } from "../../support/stopTime";

describe("a connection between driver and relay", () => {
  it.each<[string, number, Faults]>([
    // `npm run test:relay` has more of each.
    ["is split into single bytes", 6_000, both({ pieceBytes: 1 })],
    ["is gathered into large pieces", 700_000, both({ gatherMs: 5 })],
    ["takes 50 ms each way", 300_000, both({ delayMs: 50 })],
    ["passes 2 MB a second", 150_000, both({ rate: 2_000_000 })],
    ["stands still for 100 ms now and then", 300_000, both({ stalls: { share: 0.05, ms: 100 }, pieceBytes: 32_768 })],
  ])("a connection that %s carries each of its exchanges byte for byte, both ways", async (_title, size, faults) => {
    const { told, whole, connections } = await exchangeThrough(size, faults);

    expect(told).toEqual(whole);
    expect(connections).toBe(1);
  });

  it.each<[string, Faults]>([
    ["both directions", both({ isBlackHole: true })],
    ["the way to the relay", { up: { isBlackHole: true } }],
    ["the way to the driver", { down: { isBlackHole: true } }],
  ])(
    "a connection that silently loses %s is given up by the relay: 502 to who waited, 503 to who comes, and it is resumed",
    async (_title, faults) => {
      await using relay = await startRelay({ pingMs: 50, deadMs: 200 });
      const asked = createDeferred();
      const handled: string[] = [];
      await using service = await startService((req, res) => {
        handled.push(req.url ?? "");
        if (req.url === "/wait") asked.resolve();
        else res.end("here");
      });
      await using proxy = await startFaultyProxy(relay.relay.port);
      await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
      const before = handle.session.sessionId;
      const waiting = visit(handle.containerPort, { path: "/wait", method: "POST" });
      await soon(asked.promise);

      proxy.faults = faults;
      const interrupted = await soon(waiting);
      const parked = await visit(handle.containerPort, { path: "/parked" });
      const resumed = once(handle.session, "resumed");
      proxy.faults = {};
      proxy.cut();
      await soon(resumed);
      const served = await visit(handle.containerPort, { path: "/served" });

      expect(tellError(interrupted)).toEqual([502, "TUNNEL_INTERRUPTED", undefined]);
      expect(tellError(parked)).toEqual([503, "TUNNEL_ORPHANED", "5"]);
      expect(String(served.body)).toBe("here");
      expect(handle.session.sessionId).toBe(before);
      expect(handled).toEqual(["/wait", "/served"]);
    },
  );

  it("a connection that is lost within a response has the visitor cut, and within a request answers 502", async () => {
    await using relay = await startRelay();
    const asked = createDeferred();
    const left = createDeferred();
    let requests = 0;
    await using service = await startService((req, res) => {
      requests += 1;
      if (req.url === "/download") res.writeHead(200, { "content-length": 10 }).write("half ");
      else req.once("data", () => asked.resolve());
      res.once("close", () => (req.url === "/download" ? left.resolve() : undefined));
    });
    await using proxy = await startFaultyProxy(relay.relay.port);
    await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
    const call = httpRequest({ host: "127.0.0.1", port: handle.containerPort, path: "/download", agent: false }).end();
    const [download] = (await soon(once(call, "response"))) as [IncomingMessage];
    const cut = rejectionOf(buffer(download));
    const upload = visit(handle.containerPort, { path: "/upload", method: "POST", body: Buffer.alloc(12_000_000) });
    await soon(asked.promise);
    proxy.cut();

    expect(await soon(cut)).toMatchObject({ code: "ECONNRESET" });
    expect(tellError(await soon(upload))).toEqual([502, "TUNNEL_INTERRUPTED", undefined]);
    await soon(left.promise);
    expect(requests).toBe(2);
  });

  it.each(["up", "down"] as const)(
    "a connection that is reset at any byte on its way %s, while it begins, is made again and leaves nothing behind",
    async (direction) => {
      using time = stopTime();
      await using relay = await startRelay({ graceMs: 1_000, limits: { maxSessionsPerPrincipal: 100 } });
      await using service = await startService((_req, res) => void res.end("here"));
      // Request or response of the upgrade, greeting, and binding are within so many bytes.
      const moments = Array.from({ length: 12 }, (_, index) => 1 + index * 94);

      const replies = await Promise.all(
        moments.map(async (resetAfterBytes) => {
          const ofConnection = (index: number) => (index === 0 ? { [direction]: { resetAfterBytes } } : undefined);
          await using proxy = await startFaultyProxy(relay.relay.port, {}, ofConnection);
          await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
          // A reset that comes with the binding, or with the request itself, is that request's failure.
          const first = await visit(handle.containerPort);
          if (first.status === 200) return String(first.body);
          if (handle.session.state !== "connected") await once(handle.session, "resumed");
          return String((await visit(handle.containerPort)).body);
        }),
      );

      expect(replies).toEqual(moments.map(() => "here"));
      // What the relay began and no driver knows of ends with its grace.
      for (; relay.relay.sessions().length > 0; await new Promise(setImmediate)) time.advance(100);
      const { data } = await relay.admin.listBindings();
      expect(data.bindings).toEqual([]);
    },
  );
});
