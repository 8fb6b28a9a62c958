import { generateKeyPairSync } from "node:crypto";
import { WebSocket, WebSocketServer } from "ws";
import { createServer, request, type IncomingMessage } from "node:http";
import { SignJWT } from "jose";
import { globals, r, run, tunnelRelay, type TunnelRelayConfig } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { ask, publish } from "../../support/publishedService";
import { codeOf, echo, login } from "../../support/relay/gates";
import { soon } from "../../support/soon";
import { quiet } from "../../support/tunnelPair";

const { password, token, jwt, ip } = globals.tunnelGates;
describe("a token gate", () => {
  it("a token gate takes a header or the query, and neither reaches the application or the log", async () => {
    const { server, seen } = echo();
    const logged: unknown[] = [];
    const log = r
      .hook("log")
      .on(globals.events.tunnelRequest)
      .run(async ({ data }) => void logged.push([data.path, data.gate, data.requestHeaders["x-key"]]))
      .build();
    await using site = await publish(server, {
      items: [log],
      config: { gates: [[token.with({ tokens: ["t-1", "t-2"], header: "x-key", query: "key" })]] },
    });

    expect(codeOf(await ask(site.port))).toEqual([401, "GATE_AUTH"]);
    expect((await ask(site.port, { headers: { "x-key": "t-3" } })).status).toBe(401);
    expect((await ask(site.port, { path: "/?key=t-1&key=t-2" })).status).toBe(401);
    expect((await ask(site.port, { headers: { "x-key": "t-2" } })).status).toBe(200);
    expect((await ask(site.port, { path: "/p?a=%31&%6bey=t-1&b" })).status).toBe(200);
    expect(seen.map(({ url, headers }) => [url, headers["x-key"]])).toEqual([
      ["/", undefined],
      ["/p?a=%31&b", undefined],
    ]);
    expect(logged.slice(-2)).toEqual([
      ["/", "token", "***"],
      ["/p", "token", undefined],
    ]);
  });

  it("a token gate reads bearer tokens by default", async () => {
    const { server, seen } = echo();
    await using site = await publish(server, { config: { gates: [[token.with({ tokens: "t" })]] } });

    const refused = await ask(site.port, { headers: { authorization: "Bearer u" } });
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="tunnel"']);
    expect((await ask(site.port, { headers: { authorization: "Bearer t" } })).status).toBe(200);
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });
});

describe("a JWT gate", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sign = async (claims: object, alg: "ES256" | "HS256" = "ES256", key: unknown = privateKey) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg, kid: "k1" })
      .setExpirationTime("1m")
      .sign(key as never);

  it("a JWT gate checks key, algorithm, issuer, audience and expiry", async () => {
    const { server, seen } = echo();
    const gate = jwt.with({
      jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256" }] },
      algorithms: ["ES256"],
      issuer: "https://id.example",
      audience: (host) => host,
    });
    await using site = await publish(server, { config: { gates: [[gate]] } });
    const status = async (jwtText: string) =>
      (await ask(site.port, { headers: { authorization: `Bearer ${jwtText}` } })).status;
    const good = { iss: "https://id.example", aud: "localhost" };

    expect(codeOf(await ask(site.port))).toEqual([401, "GATE_AUTH"]);
    expect(await status(await sign(good))).toBe(200);
    expect(await status(await sign({ ...good, aud: "elsewhere" }))).toBe(401);
    expect(await status(await sign({ ...good, iss: "https://other.example" }))).toBe(401);
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(await status(await sign(good, "ES256", other))).toBe(401);
    // The public key as the secret of another algorithm.
    const pem = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
    expect(await status(await sign(good, "HS256", pem))).toBe(401);
    const [head = "", body = ""] = (await sign(good)).split(".");
    expect(await status(`${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`)).toBe(401);
    expect(await status(`${head}.${body}.`)).toBe(401);
    const expired = new SignJWT(good).setProtectedHeader({ alg: "ES256", kid: "k1" }).setExpirationTime(1);
    expect(await status(await expired.sign(privateKey))).toBe(401);
    expect(seen).toHaveLength(1);
    // The application may want to know who calls.
    expect(seen[0]?.headers.authorization).toMatch(/^Bearer ey/);
  });

  it.each<[string, (host: string) => never]>([
    ["undefined", () => undefined as never],
    ["an empty list", () => [] as never],
    ["a promise", (async () => "localhost") as never],
  ])("a JWT gate whose audience function names none lets no token in: %s", async (_name, audience) => {
    const { server, seen } = echo();
    const gate = jwt.with({ key: publicKey, algorithms: ["ES256"], audience });
    await using site = await publish(server, { config: { gates: [[gate]] } });

    for (const claims of [{ aud: "localhost" }, { aud: "elsewhere" }, {}]) {
      const authorization = `Bearer ${await sign(claims)}`;
      expect((await ask(site.port, { headers: { authorization } })).status).toBe(401);
    }
    expect(seen).toEqual([]);
  });

  it("a JWT gate takes a PEM text, a key object or a secret", async () => {
    const keys: Parameters<typeof jwt.with>[0][] = [
      { key: publicKey.export({ type: "spki", format: "pem" }).toString(), algorithms: ["ES256"] },
      { key: publicKey, algorithms: ["ES256"] },
      { key: publicKey.export({ format: "jwk" }), algorithms: ["ES256"] },
      { key: "a secret of more than 32 bytes, as HS256 needs", algorithms: ["HS256"] },
    ];
    for (const config of keys) {
      const { server } = echo();
      await using site = await publish(server, { config: { gates: [[jwt.with(config)]] } });
      const text =
        config.algorithms[0] === "HS256"
          ? await sign({}, "HS256", Buffer.from(String(config.key)))
          : await sign({}, "ES256");
      expect((await ask(site.port, { headers: { authorization: `Bearer ${text}` } })).status).toBe(200);
    }
  });
});

describe("an IP gate", () => {
  it("an IP gate judges the address that trusted proxies saw, and not what visitors write", async () => {
    const { server } = echo();
    const gate = ip.with({ allow: ["10.1.0.0/16", "2001:db8::/32"], deny: ["10.1.2.3"] });
    await using site = await publish(server, {
      config: { gates: [[gate]], trustedProxies: ["127.0.0.1", "192.168.0.0/24"] },
    });
    const from = async (forwarded: string) =>
      codeOf(await ask(site.port, { headers: { "x-forwarded-for": forwarded } }));

    expect(await from("10.1.9.9")).toEqual([200, undefined]);
    expect(await from("[2001:db8::7]:4711")).toEqual([200, undefined]);
    expect(await from("8.8.8.8, 10.1.9.9, 192.168.0.7")).toEqual([200, undefined]);
    expect(await from("10.1.9.9, 8.8.8.8, 192.168.0.7")).toEqual([403, "GATE_DENIED"]);
    expect(await from("10.1.2.3")).toEqual([403, "GATE_DENIED"]);
    expect(await from("10.2.0.1")).toEqual([403, "GATE_DENIED"]);
    expect(codeOf(await ask(site.port))).toEqual([403, "GATE_DENIED"]);
  });

  it("an IP gate does not believe what a peer says that is no trusted proxy", async () => {
    const { server } = echo();
    await using site = await publish(server, { config: { gates: [[ip.with({ allow: ["10.0.0.0/8"] })]] } });

    expect((await ask(site.port, { headers: { "x-forwarded-for": "10.1.1.1" } })).status).toBe(403);
  });
});

describe("gates written by applications", () => {
  it("a gate task has dependencies, decides by the whole request, and is joined with others by and and or", async () => {
    const { server, seen } = echo();
    const members = r
      .resource("members")
      .init(async () => new Set(["anna"]))
      .build();
    const member = r
      .task("gates.member")
      .tags([globals.tags.tunnelGate])
      .dependencies({ members })
      .run(async ({ headers, name, host, containerPort, isUpgrade }, { members }) => {
        const isKnown = members.has(String(headers["x-user"]));
        const isHere = name === "shop" && host === "localhost" && containerPort > 0 && !isUpgrade;
        return isKnown && isHere ? { ok: true } : { ok: false, status: 401 };
      })
      .build();
    await using site = await publish(server, {
      name: "shop",
      items: [members, member],
      config: {
        gates: [
          [ip.with({ allow: ["10.0.0.0/8"] }), member],
          [member, token.with({ tokens: "t" })],
        ],
      },
    });
    const user = { "x-user": "anna" };

    expect(codeOf(await ask(site.port))).toEqual([401, "GATE_AUTH"]);
    expect((await ask(site.port, { headers: user })).status).toBe(401);
    expect((await ask(site.port, { headers: { authorization: "Bearer t" } })).status).toBe(401);
    expect((await ask(site.port, { headers: { ...user, authorization: "Bearer t" } })).status).toBe(200);
    expect(seen).toHaveLength(1);
    const { data } = await site.admin.listRequests({ limit: 1 });
    expect(data.requests[0]).toMatchObject({ status: 200, gate: "gates.member+token" });
  });

  it("a gate that throws or takes too long lets nobody in, and another group may", async () => {
    const { server, seen } = echo();
    const broken = r
      .task("gates.broken")
      .tags([globals.tags.tunnelGate])
      .run(async () => {
        throw new Error("secret detail");
      })
      .build();
    const endless = r
      .task("gates.endless")
      .tags([globals.tags.tunnelGate])
      .run(async (_visitor, _deps, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return { ok: true };
      })
      .build();
    await using site = await publish(server, {
      items: [broken, endless],
      config: { gates: [[broken], [endless], [token.with({ tokens: "t" })]], hookTimeoutMs: 50 },
    });

    const refused = await ask(site.port);
    expect(codeOf(refused)).toEqual([500, "GATE_FAILED"]);
    expect(refused.body).not.toContain("secret");
    expect((await ask(site.port, { headers: { authorization: "Bearer t" } })).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it("gates of a name take the place of the relay's", async () => {
    const { server } = echo();
    const config: Partial<TunnelRelayConfig> = {
      gates: [[token.with({ tokens: "t" })]],
      gatesByName: { open: [], closed: [[ip.with({ allow: [] })]] },
    };
    const statusOf = async (name?: string) => {
      await using site = await publish(createServer(server.listeners("request")[0] as never), { name, config });
      return (await ask(site.port, { headers: { authorization: "Bearer t" } })).status;
    };

    expect([await statusOf(), await statusOf("open"), await statusOf("closed")]).toEqual([200, 200, 403]);
  });
});

describe("gates and visitors that go on sending", () => {
  it("a visitor that goes on sending what a gate has refused reads the refusal, and its connection is closed", async () => {
    const { server, seen } = echo();
    await using site = await publish(server, { config: { gates: [[token.with({ tokens: "t" })]] } });

    const sent = request({ port: site.port, method: "POST" });
    const closed = new Promise<void>((resolve) => sent.once("close", () => resolve()));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on("response", resolve);
      sent.on("error", reject);
    });
    const chunk = Buffer.alloc(1_048_576);
    let sentBytes = 0;
    const send = (): void => {
      while (!sent.destroyed && sent.write(chunk)) sentBytes += chunk.length;
    };
    sent.on("drain", send);
    send();
    const answer = await soon(answered);
    sent.on("error", () => {});
    answer.on("error", () => {});
    const { statusCode, headers } = answer;
    answer.resume();
    await soon(closed);

    expect([statusCode, headers["x-hoody-tunnel-error"], headers.connection]).toEqual([401, "GATE_AUTH", "close"]);
    expect(sentBytes).toBeLessThan(64 * 1_048_576);
    expect(seen).toEqual([]);
    // A small body is simply left behind, and the connection is kept.
    const small = await ask(site.port, { method: "POST", body: "small", headers: { connection: "keep-alive" } });
    expect([small.status, small.headers.connection]).toEqual([401, "keep-alive"]);
  });
});

describe("gates and WebSockets", () => {
  it("a WebSocket passes the same gates before anything reaches the driver", async () => {
    const { server } = echo();
    const sockets = new WebSocketServer({ server });
    const paths: unknown[] = [];
    sockets.on("connection", (socket, { url, headers }) => {
      paths.push([url, headers.cookie]);
      socket.send("welcome");
    });
    await using site = await publish(server, {
      config: { gates: [[token.with({ tokens: "t", query: "key" })], [password.with({ password: "p" })]] },
    });
    const open = (path: string, headers: Record<string, string> = {}) =>
      soon(
        new Promise<unknown>((resolve, reject) => {
          const socket = new WebSocket(`ws://localhost:${site.port}${path}`, { headers });
          socket.on("message", (data: Buffer) => (socket.close(), resolve(data.toString())));
          socket.on("unexpected-response", (sent, { statusCode, headers }) => {
            sent.destroy();
            resolve([statusCode, headers["x-hoody-tunnel-error"]]);
          });
          socket.on("error", reject);
        }),
      );

    expect(await open("/live")).toEqual([401, "GATE_AUTH"]);
    expect(paths).toEqual([]);
    expect(await open("/live?key=t&room=1")).toBe("welcome");
    const { headers } = await ask(site.port, login("p"));
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    expect(await open("/live", { cookie })).toBe("welcome");
    expect(paths).toEqual([
      ["/live?room=1", undefined],
      ["/live", undefined],
    ]);
    sockets.close();
  });
});

describe("gates that cannot be meant", () => {
  const failureOf = async (config: Partial<TunnelRelayConfig>, items: Parameters<typeof publish>[1] = {}) =>
    (
      await rejectionOf(
        run(
          r
            .resource("app")
            .register([...(items.items ?? []), tunnelRelay.with({ listen: { port: 0 }, ...config })])
            .build(),
          quiet,
        ),
      )
    ).message.split("\n")[0];

  it("a relay refuses at boot gates that cannot be meant, names the option and says what to do", async () => {
    const plain = r
      .task("plain")
      .run(async () => ({ ok: true }))
      .build();
    const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();

    expect(await failureOf({ gates: [password.with({ password: "p" })] as never })).toContain(
      "gates must be groups of gates",
    );
    expect(await failureOf({ gates: [[]] })).toContain("[[a, b], [c]]");
    expect(await failureOf({ gates: [["none"]] })).toContain(
      'gates[0][0] names the task "none", which is not registered: add it to .register([...])',
    );
    expect(await failureOf({ gatesByName: { web: [[plain as never]] } }, { items: [plain] })).toContain(
      'gatesByName.web[0][0] names the task "plain", which is no gate: add .tags([globals.tags.tunnelGate])',
    );
    expect(await failureOf({ gatesByName: { Web: [[token.with({ tokens: "t" })]] } })).toContain(
      'gatesByName has "Web", which no binding can have: a name is one label of a host name',
    );
    expect(await failureOf({ gates: [[password.with({ password: "" })]] })).toContain("password must be a text");
    expect(await failureOf({ gates: [[password.with({ password: "$scrypt$ln=30,r=8,p=1$x$y" })]] })).toContain(
      "hashTunnelPassword",
    );
    expect(await failureOf({ gates: [[token.with({ tokens: [] })]] })).toContain("tokens must be");
    expect(await failureOf({ gates: [[ip.with({ allow: ["10.0.0.0/33"] })]] })).toContain('"10.0.0.0/33"');
    expect(await failureOf({ gates: [[jwt.with({ algorithms: ["ES256"] })]] })).toContain("either key or jwks");
    expect(await failureOf({ gates: [[jwt.with({ key: pem, algorithms: ["none"] })]] })).toContain(
      "algorithms must list",
    );
    expect(await failureOf({ gates: [[jwt.with({ key: pem, algorithms: ["HS256"] })]] })).toContain(
      "key is a public key",
    );
    expect(await failureOf({ gates: [[jwt.with({ key: "secret", algorithms: ["RS256"] })]] })).toContain("no PEM text");
  });
});
