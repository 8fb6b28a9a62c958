import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpClient, createHttpMixedClient, createHttpSmartClient } from "../../../node";

const dayMs = 86_400_000;

/** Has a server send a first line, and the last one a little later. */
async function serveLines(first: object, last: object, heartbeatMs: number) {
  const server = createServer((req, res) => {
    res.writeHead(200, {
      "content-type": "application/x-runner-items+ndjson",
      "x-runner-heartbeat-ms": String(heartbeatMs),
    });
    res.write(`${JSON.stringify(first)}\n`);
    // A timer that is set to more than it can hold fires after 1 ms.
    const timer = setTimeout(() => res.end(`${JSON.stringify(last)}\n`), 30);
    req.resume();
    res.on("close", () => clearTimeout(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const clients = { createHttpMixedClient, createHttpSmartClient, createHttpClient };
const silences = [
  ["a server says that it is silent for 30 days", { heartbeatMs: 30 * dayMs, silenceMs: undefined }],
  ["silenceMs is 30 days", { heartbeatMs: 0, silenceMs: 30 * dayMs }],
  ["silenceMs is Infinity", { heartbeatMs: 0, silenceMs: Infinity }],
] as const;

describe.each(Object.entries(clients))("%s", (_name, create) => {
  it.each(silences)("goes on with a stream that pauses where %s", async (_case, { heartbeatMs, silenceMs }) => {
    await using server = await serveLines({ item: 1 }, { ok: true, result: "end" }, heartbeatMs);
    await using client = create({ baseUrl: server.baseUrl, silenceMs });
    const stream = client.stream<unknown, number, string>("app.rows", {});
    const items: number[] = [];

    for await (const item of stream) items.push(item);

    expect([items, await stream.result]).toEqual([[1], "end"]);
  });

  it.each(silences)("goes on with a subscription that pauses where %s", async (_case, { heartbeatMs, silenceMs }) => {
    const event = { event: "app.sold", id: "e-1", item: 5 };
    await using server = await serveLines({ open: { "app.sold": "e-0" } }, event, heartbeatMs);
    await using client = create({ baseUrl: server.baseUrl, silenceMs });
    const gaps: unknown[] = [];
    const subscription = client.subscribe(["app.sold"], { onGap: (gap) => gaps.push(gap) })[Symbol.asyncIterator]();

    expect(await subscription.next()).toMatchObject({ value: { event: "app.sold", id: "e-1", payload: 5 } });
    expect(gaps).toEqual([]);
    await subscription.return?.();
  });
});
