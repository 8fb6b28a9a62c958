import { request } from "node:http";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { rejectionOf } from "../../__tests__/support/failures";
import { soon } from "../../__tests__/support/soon";
import { quiet } from "../../__tests__/support/tunnelPair";
import { createTunnelAdminClient, r, run, type TunnelAdminClient, type TunnelRelayConfig } from "../../node";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";
import { tunnelRelay } from "./tunnelRelay";

const token = "s3cret";

async function startRelay(config: Partial<TunnelRelayConfig> = {}) {
  const relay = tunnelRelay.with({ listen: { port: 0 }, portRange: [21_000, 29_999], auth: { token }, ...config });
  const app = await run(r.resource("relay").register([relay]).build(), quiet);
  const { port, url, drop } = app.getResourceValue(tunnelRelay);
  const admin = createTunnelAdminClient({ baseUrl: url, auth: { token } });
  return { url: url.replace(/\/$/, ""), port, drop, admin, [Symbol.asyncDispose]: () => app.dispose() };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request with headers of its own choice, `Host` among them. */
function ask(port: number, { method = "GET", path = "/api/v1/tunnel/sessions", headers = {} }: Asked) {
  return soon(
    new Promise<{ status: number | undefined; allow: string | undefined; type: string | undefined; text: string }>(
      (resolve, reject) => {
        const req = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (message) => {
          let text = "";
          message.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          message.on("end", () =>
            resolve({
              status: message.statusCode,
              allow: message.headers.allow,
              type: message.headers["content-type"],
              text,
            }),
          );
        });
        req.on("error", reject).end();
      },
    ),
  );
}

describe("the control plane", () => {
  it("the control plane answers with exactly the fields of the protocol", async () => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url, { token });
    const { sessionId } = await bare.greet();
    const web = (await bare.bind({ name: "web" })) as { bindId: number; containerPort: number };
    const db = (await bare.bind({ kind: "tcp", mode: "pull" })) as { bindId: number; containerPort: number };
    const [overview, sessions, bindings, health] = await Promise.all([
      relay.admin.listTunnels(),
      relay.admin.listSessions(),
      relay.admin.listBindings(),
      relay.admin.health.check(),
    ]);
    const facts = {
      sessionId,
      peerAddr: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      protocol: "hoody-tunnel.v2",
      connectionsGranted: 0,
      activeStreams: 0,
    };
    const exposed = { kind: "http", mode: "expose", containerPort: web.containerPort, bindId: web.bindId };
    const pulled = { kind: "tcp", mode: "pull", containerPort: db.containerPort, bindId: db.bindId };

    expect(overview.data).toEqual({
      sessions: [{ ...facts, exposeBindings: [exposed], pullBindings: [pulled] }],
      orphanedSessions: 0,
      totalStreams: 0,
      totalBindings: 2,
      fdPermitsAvailable: expect.any(Number) as number,
    });
    expect(sessions.data).toEqual({
      sessions: [{ ...facts, maxStreams: 1_000, isV2: true, bindings: [exposed, pulled], links: 1 }],
    });
    expect(bindings.data).toEqual({
      bindings: [
        { port: web.containerPort, kind: "http", mode: "expose", sessionId, bindId: web.bindId },
        { port: db.containerPort, kind: "tcp", mode: "pull", sessionId: "", bindId: 0 },
      ],
    });
    expect(health.data).toEqual({
      status: "ok",
      pid: process.pid,
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      userAgent: `runner-tunnel/1.0 node/${process.versions.node}`,
      fds: expect.any(Number) as number,
      memory: { rss: expect.any(Number) as number },
    });
  });

  it("the control plane lists attached sessions, and counts those that wait and their bindings", async () => {
    await using relay = await startRelay();
    const bare = await bareDriver(relay.url, { token });
    const { sessionId } = await bare.greet();
    const bound = (await bare.bind()) as { containerPort: number; bindId: number };
    await bare.bind({ kind: "tcp", mode: "pull" });
    relay.drop(sessionId);
    await bare.closed();

    expect((await relay.admin.listSessions()).data).toEqual({ sessions: [] });
    expect((await relay.admin.listTunnels()).data).toMatchObject({
      sessions: [],
      orphanedSessions: 1,
      totalBindings: 1,
    });
    expect((await relay.admin.listBindings()).data.bindings).toEqual([
      { port: bound.containerPort, kind: "http", mode: "expose", sessionId, bindId: bound.bindId },
    ]);
  });

  it.each([
    ["text", "soon", 400],
    ["nothing", "", 400],
    ["a fraction", "1.5", 400],
    ["an exponent", "1e3", 400],
    ["a negative number", "-1", 400],
    ["more than 5000", "5001", 400],
    ["5000, which is the most", "5000", 404],
    ["0, which is the least", "0", 404],
  ])("the control plane takes grace_ms as %s", async (_what, grace, statusCode) => {
    await using relay = await startRelay();

    const { status, text } = await ask(relay.port, {
      method: "DELETE",
      path: `/api/v1/tunnel/sessions/ts_none?grace_ms=${grace}`,
      headers: { "x-runner-token": token },
    });

    expect(status).toBe(statusCode);
    expect(JSON.parse(text)).toMatchObject(
      statusCode === 400
        ? { error: { code: "BAD_REQUEST" } }
        : { error: { code: "NOT_FOUND", message: "unknown session" } },
    );
  });

  it.each([
    ["a path that is none", { path: "/api/v1/tunnel/nothing" }, 404, undefined],
    ["a method that lists do not have", { method: "POST" }, 405, "GET, HEAD"],
    ["a method that sessions do not have", { path: "/api/v1/tunnel/sessions/ts_1" }, 405, "DELETE"],
    ["a connection that is no WebSocket", { path: "/api/v1/tunnel/connect" }, 400, undefined],
    ["a path of an object's prototype", { path: "/api/v1/tunnel/constructor" }, 404, undefined],
  ] as const)("the control plane refuses %s", async (_what, asked, status, allow) => {
    await using relay = await startRelay();
    const reply = await ask(relay.port, { ...asked, headers: { "x-runner-token": token } });

    expect([reply.status, reply.allow, reply.type]).toEqual([status, allow, "application/json"]);
    expect(JSON.parse(reply.text)).toEqual({
      error: { code: expect.any(String) as string, message: expect.any(String) as string },
    });
  });

  it("the control plane measures sessions, bindings, streams, bytes, resets, requests and permits as Prometheus text", async () => {
    await using relay = await startRelay({ limits: { fdPermits: 100 } });
    await using bare = await bareDriver(relay.url, { token });
    await bare.greet();
    const { containerPort } = (await bare.bind({ name: "web" })) as { containerPort: number };
    await bare.bind({ kind: "tcp", mode: "pull" });
    const visit = fetch(`http://127.0.0.1:${containerPort}`, { method: "POST", body: "12345" });
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    bare.frame(FrameType.HEAD, 0, streamId, encodeResponseHead({ status: 201, reason: "", headers: [] }));
    bare.frame(FrameType.DATA, flagEnd, streamId, Buffer.from("1234567"));
    await (await soon(visit)).text();
    const cut = fetch(`http://127.0.0.1:${containerPort}`);
    const { streamId: second } = await bare.nextFrame(FrameType.HEAD);
    const reset = Buffer.alloc(10);
    reset[1] = 7;
    bare.frame(FrameType.RESET, 0, second, reset);
    await (await soon(cut)).text();
    await using taker = await bareDriver(relay.url, { token });
    await taker.greet();
    await taker.bind({ name: "web", takeover: true });

    const { data } = await relay.admin.getMetrics();
    const metrics = new Map(data.split("\n").map((line) => line.split(" ") as [string, string]));
    const of = (name: string): string | undefined => metrics.get(`hoody_tunnel_${name}`);

    expect({
      sessions: of("sessions_active"),
      orphans: of("sessions_orphaned"),
      exposed: of('bindings_active{mode="expose"}'),
      pulled: of('bindings_active{mode="pull"}'),
      active: of("streams_active"),
      http: of('streams_total{kind="http",mode="expose"}'),
      tcp: of('streams_total{kind="tcp",mode="pull"}'),
      refused: of('stream_resets_total{code="LOCAL_CONNECT_FAILED"}'),
      created: of('requests_total{status_class="2xx"}'),
      failed: of('requests_total{status_class="5xx"}'),
      out: of('bytes_total{dir="out"}'),
      takeovers: of("takeovers_total"),
      resumed: of('resumes_total{result="resumed"}'),
      rejected: of("preauth_rejected_total"),
    }).toEqual({
      sessions: "2",
      orphans: "0",
      exposed: "1",
      pulled: "1",
      active: "0",
      http: "2",
      tcp: "0",
      refused: "1",
      created: "1",
      failed: "1",
      out: "7",
      takeovers: "1",
      resumed: "0",
      rejected: "0",
    });
    expect(Number(of("fd_permits_available"))).toBeLessThan(100);
    expect(data).toMatch(/^# TYPE hoody_tunnel_link_rtt_seconds summary$/m);
    expect(data).toMatch(/^hoody_tunnel_link_queue_bytes \d+$/m);
  });
});

describe("the guard of a relay", () => {
  const of = { "x-runner-token": token };
  it.each<[string, Partial<TunnelRelayConfig>, Record<string, string>, number]>([
    ["a page of another origin", {}, { ...of, origin: "https://evil.test" }, 403],
    [
      "a page of an origin that is allowed",
      { allowedOrigins: ["https://app.test"] },
      { ...of, origin: "https://app.test" },
      200,
    ],
    ["a name that leads here by rebinding", {}, { ...of, host: "evil.test" }, 403],
    ["an address", {}, { ...of, host: "127.0.0.1:80" }, 200],
    ["a name that the relay is told it has", { hosts: ["Relay.test"] }, { ...of, host: "relay.test:443" }, 200],
    [
      "the host of a pattern by path",
      { publicUrlPattern: "https://relay.test/t/{name}/" },
      { ...of, host: "relay.test" },
      200,
    ],
    [
      "a name that no binding may have",
      { publicUrlPattern: "https://{name}.tun.test" },
      { ...of, host: "relay.tun.test" },
      200,
    ],
    ["no credentials where there are some", {}, {}, 401],
    ["wrong credentials", {}, { "x-runner-token": "guess" }, 401],
    ["a proxy, where there are none", { auth: {} }, { via: "1.1 proxy" }, 500],
    ["a program of this machine, where there are none", { auth: {} }, {}, 200],
    ["a page of this machine, where there are none", { auth: {} }, { origin: "http://localhost:3000" }, 403],
  ])("the guard of a relay judges %s", async (_what, config, headers, status) => {
    await using relay = await startRelay(config);

    expect((await ask(relay.port, { headers })).status).toBe(status);
    const path = "/api/v1/tunnel/health";
    const health = await ask(relay.port, { path, headers });
    expect(health.status).toBe(200);
    if (status !== 200) expect(JSON.parse(health.text)).toEqual({ status: "ok" });
  });

  it("the guard of a relay keeps the control plane out of tunnels", async () => {
    await using relay = await startRelay({ publicUrlPattern: "http://{name}.tun.localhost" });
    const headers = { "x-runner-token": token, host: "web.tun.localhost" };

    expect((await ask(relay.port, { headers })).status).toBe(404);
  });
});

describe("the seven examples of the operator's guide", () => {
  /** As their authors wrote them; only the client is another. */
  async function operated() {
    const relay = await startRelay();
    const bare = await bareDriver(relay.url, { token });
    const { sessionId } = await bare.greet();
    const web = (await bare.bind()) as { containerPort: number; bindId: number };
    const db = (await bare.bind({ kind: "tcp", mode: "pull" })) as { containerPort: number };
    const client: { readonly tunnel: TunnelAdminClient } = { tunnel: relay.admin };
    return {
      client,
      bare,
      sessionId,
      web,
      db,
      async [Symbol.asyncDispose]() {
        await bare[Symbol.asyncDispose]();
        await relay[Symbol.asyncDispose]();
      },
    };
  }

  it("the seven examples of the operator's guide begin with a health probe", async () => {
    await using story = await operated();
    const { client } = story;
    const r = await client.tunnel.health.check();
    const h = r.data;

    expect({ status: h.status, pid: h.pid, fds: h.fds, rss: h.memory?.rss }).toEqual({
      status: "ok",
      pid: process.pid,
      fds: expect.any(Number) as number,
      rss: expect.any(Number) as number,
    });
  });

  it("the seven examples of the operator's guide list every tunnel, and what one session does", async () => {
    await using story = await operated();
    const { client, sessionId: sid, web, db } = story;
    const r = await client.tunnel.listTunnels();
    const t = r.data;
    const list = await client.tunnel.listSessions();
    const s = list.data.sessions.find((x) => x.sessionId === sid);

    expect({
      active: t.sessions.length,
      orphans: t.orphanedSessions,
      streams: t.totalStreams,
      binds: t.totalBindings,
      ids: t.sessions.map((each) => each.sessionId),
    }).toEqual({ active: 1, orphans: 0, streams: 0, binds: 2, ids: [sid] });
    expect(t.fdPermitsAvailable).toBeGreaterThan(0);
    expect({
      v2: s?.isV2,
      load: `${s?.activeStreams}/${s?.maxStreams}`,
      lifetime: s?.connectionsGranted,
      binds: s?.bindings.map((b) => `${b.kind}/${b.mode}:${b.containerPort}#${b.bindId}`),
    }).toEqual({
      v2: true,
      load: "0/1000",
      lifetime: 0,
      binds: [`http/expose:${web.containerPort}#${web.bindId}`, `tcp/pull:${db.containerPort}#${web.bindId + 1}`],
    });
  });

  it("the seven examples of the operator's guide group ports by mode", async () => {
    await using story = await operated();
    const { client, web, db } = story;
    const r = await client.tunnel.listBindings();
    const byMode = r.data.bindings.reduce<Record<string, number[]>>((acc, b) => {
      (acc[b.mode] ||= []).push(b.port);
      return acc;
    }, {});

    expect(byMode).toEqual({ expose: [web.containerPort], pull: [db.containerPort] });
  });

  it("the seven examples of the operator's guide read three metrics out of the text", async () => {
    await using story = await operated();
    const { client } = story;
    const r = await client.tunnel.getMetrics();
    const text = r.data;
    const get = (name: string) => {
      const re = new RegExp(`^${name}(?:\\{[^}]*\\})?\\s+(\\S+)`, "gm");
      let sum = 0;
      let hit = false;
      for (const m of text.matchAll(re)) {
        sum += Number(m[1]);
        hit = true;
      }
      return hit ? sum : NaN;
    };

    expect([get("hoody_tunnel_sessions_active"), get("hoody_tunnel_bindings_active")]).toEqual([1, 2]);
    expect(get("hoody_tunnel_fd_permits_available")).toBeGreaterThan(0);
  });

  it.each([
    ["by a record", { grace_ms: 1000 }],
    ["by a number", 1000],
    ["by default", undefined],
  ])(
    "the seven examples of the operator's guide kill a stuck session, with its grace given %s",
    async (_how, grace) => {
      await using story = await operated();
      const { client, bare, sessionId } = story;
      const list = await client.tunnel.listSessions();
      const stuck = list.data.sessions.find((s) => s.peerAddr.startsWith("127."));
      if (!stuck) throw new Error("no matching session");
      const r = await client.tunnel.killSession(stuck.sessionId, grace);

      expect(r.data).toEqual({ sessionId, status: "closing" });
      expect((await bare.closed()).code).toBe(4003);
      expect(await rejectionOf(client.tunnel.killSession(sessionId))).toMatchObject({
        code: "NOT_FOUND",
        details: { statusCode: 404 },
      });
    },
  );

  it("the seven examples of the operator's guide end with a watch for orphans and permits", async () => {
    await using story = await operated();
    const { client } = story;
    const r = await client.tunnel.listTunnels();
    const { orphanedSessions, fdPermitsAvailable } = r.data;

    expect(fdPermitsAvailable < 64 || orphanedSessions > 0).toBe(false);
  });
});
