import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tunnelExpose } from "../../node";
import { startRelay, startService } from "../support/relay/relay";
import { soon } from "../support/soon";

/** Every time that a relay limits, far shorter than the dashboard stays open. */
const shortTimes = {
  pingMs: 100,
  // Relay and driver share this process, which may stand still for longer than the others.
  deadMs: 2_000,
  idleMs: 200,
  responseTimeoutMs: 300,
  limits: { visitorIdleMs: 200, visitorHeadMs: 300, visitorRequestMs: 300 },
};

it.each([
  ["more often than any limit", 50, 60],
  ["less often than every limit", 900, 4],
])(
  "a dashboard of server-sent events that is pinged %s stays open, and has each event once",
  async (_what, ms, count) => {
    await using relay = await startRelay(shortTimes);
    let pings = 0;
    await using service = await startService((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      const ping = setInterval(() => {
        pings += 1;
        res.write(`: ping\n\nid: ${pings}\ndata: news\n\n`);
      }, ms);
      res.once("close", () => clearInterval(ping));
    });
    await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
    const states: string[] = [];
    handle.session.on("state", (state) => states.push(state));
    const headers = { accept: "text/event-stream" };
    const call = httpRequest({ host: "127.0.0.1", port: handle.containerPort, agent: false, headers }).end();
    const [message] = (await soon(once(call, "response"))) as [IncomingMessage];
    let received = "";

    for await (const piece of message) {
      received += String(piece);
      if (received.includes(`id: ${count}\ndata: news\n\n`)) break;
    }
    // The loop leaves the dashboard, which ends its stream at the service as well.
    while (handle.session.activeStreams > 0) await new Promise(setImmediate);

    const events = Array.from({ length: count }, (_, index) => `: ping\n\nid: ${index + 1}\ndata: news\n\n`);
    expect(received).toBe(events.join(""));
    expect([states, relay.relay.sessions()]).toMatchObject([[], [{ isAttached: true, activeStreams: 0 }]]);
  },
);
