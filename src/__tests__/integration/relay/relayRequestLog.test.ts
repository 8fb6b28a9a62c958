import { createServer, request } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { globals, r, type TunnelRequestPayload, type TunnelRequestRow } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { ask, publish } from "../../support/publishedService";
import { soon } from "../../support/soon";

const service = () =>
  createServer((req, res) => {
    if (req.url === "/hang") return;
    res.writeHead(req.url === "/missing" ? 404 : 200, {
      "set-cookie": "session=secret",
      "x-reply": "seen",
      location: "/next?token=secret",
    });
    req.resume().on("end", () => res.end("four"));
  });

/** Waits for the events of so many requests. */
function collector() {
  const payloads: TunnelRequestPayload[] = [];
  let check = (): void => {};
  const hook = r
    .hook("log")
    .on(globals.events.tunnelRequest)
    .run(async ({ data }) => {
      payloads.push(data);
      check();
    })
    .build();
  const have = (count: number) =>
    soon(
      new Promise<readonly TunnelRequestPayload[]>((resolve) => {
        check = () => payloads.length >= count && resolve(payloads);
        check();
      }),
    );
  return { hook, have };
}

describe("the request log of a relay", () => {
  it("a relay emits an event for each request, with bytes, times and headers whose secrets are masked", async () => {
    const log = collector();
    await using site = await publish(service(), { name: "shop", items: [log.hook] });

    await ask(site.port, {
      method: "POST",
      path: "/p?token=secret",
      headers: { authorization: "Bearer secret", cookie: "a=secret", "x-api-token": "secret", "x-plain": "1" },
      body: "123456",
    });

    const [payload] = await log.have(1);
    expect(payload).toMatchObject({
      serviceName: "tunnel",
      method: "POST",
      host: "localhost",
      path: "/p",
      status: 200,
      bytesIn: 6,
      bytesOut: 4,
      peer: "127.0.0.1",
      bindId: site.handle.bindId,
      sessionId: site.handle.session.sessionId,
      gate: null,
      error: null,
      name: "shop",
      requestHeaders: { authorization: "***", cookie: "***", "x-api-token": "***", "x-plain": "1" },
      responseHeaders: { "set-cookie": "***", "x-reply": "seen", location: "/next" },
    });
    expect(payload?.id).toMatch(/^req_[0-9a-f-]{36}$/);
    expect(new Date(payload?.at ?? "").toISOString()).toBe(payload?.at);
    expect(payload?.ttfbMs).toBeLessThanOrEqual(payload?.ms ?? -1);
    expect(JSON.stringify(payload)).not.toContain("secret");
  });

  it("a relay lists requests newest first, by limit, id, method, status and name", async () => {
    await using site = await publish(service(), { name: "shop" });
    await ask(site.port, { path: "/a" });
    await ask(site.port, { path: "/missing" });
    await ask(site.port, { path: "/b", method: "POST" });
    const pathsOf = async (query?: Parameters<typeof site.admin.listRequests>[0]) =>
      (await site.admin.listRequests(query)).data.requests.map(({ path }) => path);

    const { data } = await site.admin.listRequests();
    expect(data.requests.map(({ path, status }) => [path, status])).toEqual([
      ["/b", 200],
      ["/missing", 404],
      ["/a", 200],
    ]);
    const row = data.requests[0] as TunnelRequestRow;
    expect(Object.keys(row)).toEqual([
      ...["id", "at", "serviceName", "method", "host", "path", "status", "bytesIn", "bytesOut", "ms", "ttfbMs", "peer"],
      ...["sessionId", "bindId", "gate", "error"],
    ]);
    expect(await pathsOf({ limit: 1 })).toEqual(["/b"]);
    expect(await pathsOf({ afterId: data.requests[2]?.id })).toEqual(["/b", "/missing"]);
    expect(await pathsOf({ afterId: row.id })).toEqual([]);
    expect(await pathsOf({ afterId: "req_forgotten" })).toHaveLength(3);
    expect(await pathsOf({ method: "post" })).toEqual(["/b"]);
    expect(await pathsOf({ status: 404 })).toEqual(["/missing"]);
    expect(await pathsOf({ name: "shop" })).toHaveLength(3);
    expect(await pathsOf({ name: "other" })).toEqual([]);
    const { data: metrics } = await site.admin.getMetrics();
    expect(metrics).toContain('hoody_tunnel_requests_total{status_class="2xx"} 2\n');
    expect(metrics).toContain('hoody_tunnel_requests_total{status_class="4xx"} 1\n');
    for (const query of [{ limit: 0 }, { limit: 501 }, { limit: 1.5 }, { status: 99 }]) {
      expect(await rejectionOf(site.admin.listRequests(query))).toMatchObject({
        code: "BAD_REQUEST",
        details: { statusCode: 400 },
      });
    }
  });

  it("a relay remembers the last 500 requests", async () => {
    await using site = await publish(service());
    for (let done = 0; done < 510; done += 30) {
      await Promise.all(Array.from({ length: 30 }, (_, index) => ask(site.port, { path: `/${done + index}` })));
    }

    const { requests } = (await site.admin.listRequests({ limit: 500 })).data;
    expect(requests).toHaveLength(500);
    expect(new Set(requests.map(({ path }) => Math.floor(Number(path.slice(1)) / 30))).has(0)).toBe(true);
    expect(Number(requests[0]?.path.slice(1))).toBeGreaterThanOrEqual(480);
  });

  it("what a relay refuses, what breaks off and WebSockets are logged as well", async () => {
    const log = collector();
    const server = service();
    const sockets = new WebSocketServer({ server, path: "/live" });
    sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(data.toString())));
    const gate = globals.tunnelGates.ip.with({ allow: ["127.0.0.0/8"] });
    await using site = await publish(server, {
      items: [log.hook],
      config: { gates: [[gate]], hooks: [globals.tunnelHooks.injectFaults.with({ path: "/blocked", status: 418 })] },
    });

    await ask(site.port, { path: "/blocked" });
    await ask(site.port, { headers: { host: "elsewhere.example" } });
    await log.have(2);
    const left = request({ port: site.port, path: "/hang" });
    left.on("error", () => {});
    left.flushHeaders();
    server.once("request", () => left.destroy());
    await log.have(3);
    await soon(
      new Promise<void>((resolve, reject) => {
        const socket = new WebSocket(`ws://localhost:${site.port}/live`);
        socket.on("error", reject);
        socket.on("open", () => socket.send("hello"));
        socket.on("message", () => socket.close());
        socket.on("close", () => resolve());
      }),
    );

    const rows = (await log.have(4)).map(({ path, status, gate, error, bindId }) => [
      path,
      status,
      gate,
      error,
      bindId,
    ]);
    const { bindId } = site.handle;
    expect(rows).toEqual([
      ["/blocked", 418, "ip", "BLOCKED", bindId],
      ["/", 421, null, "HOST_NOT_ALLOWED", null],
      ["/hang", 499, "ip", "VISITOR_LEFT", bindId],
      ["/live", 101, "ip", null, bindId],
    ]);
    const [socket] = (await site.admin.listRequests({ status: 101 })).data.requests;
    expect([Number(socket?.bytesIn) > 5, Number(socket?.bytesOut) > 5]).toEqual([true, true]);
    sockets.close();
  });

  it("a listener of requests that fails harms no visitor", async () => {
    const broken = r
      .hook("broken")
      .on(globals.events.tunnelRequest)
      .run(async () => {
        throw new Error("no");
      })
      .build();
    await using site = await publish(service(), { items: [broken] });

    expect((await ask(site.port)).body).toBe("four");
    expect((await ask(site.port)).body).toBe("four");
  });
});
