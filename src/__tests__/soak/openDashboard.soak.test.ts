import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tunnelExpose } from "../../node";
import { startRelay, startService } from "../support/relay/relay";

/** Longer than every limit that a relay has by default on silence, on a response and on idle connections. */
const quietMs = 90_000;

/** Reads so many events, and leaves. */
async function readEvents(port: number, path: string, count: number): Promise<string> {
  const call = httpRequest({ host: "127.0.0.1", port, path, agent: false }).end();
  const [message] = (await once(call, "response")) as [IncomingMessage];
  let received = "";
  for await (const piece of message) {
    received += String(piece);
    if (received.includes(`id: ${count}\n`)) break;
  }
  return received;
}

const eventOf = (id: number): string => `id: ${id}\ndata: news\n\n`;

it("dashboards of server-sent events stay open for minutes under the limits that a relay has by default, and have each event once", async () => {
  await using relay = await startRelay();
  await using service = await startService((req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const periodMs = Number((req.url ?? "").slice(1));
    let id = 0;
    const timer = setInterval(() => res.write(eventOf(++id)), periodMs);
    res.once("close", () => clearInterval(timer));
  });
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const states: string[] = [];
  handle.session.on("state", (state) => states.push(state));
  const counts = { 1_000: 180, 15_000: 12, [quietMs]: 2 };

  const dashboards = Object.entries(counts).map(([periodMs, count]) =>
    readEvents(handle.containerPort, `/${periodMs}`, count),
  );
  const received = await Promise.all(dashboards);
  while (handle.session.activeStreams > 0) await new Promise(setImmediate);

  const expected = Object.values(counts).map((count) =>
    Array.from({ length: count }, (_, index) => eventOf(index + 1)).join(""),
  );
  expect(received).toEqual(expected);
  expect([states, relay.relay.sessions()]).toMatchObject([[], [{ isAttached: true, activeStreams: 0 }]]);
}, 240_000);
