import { EventEmitter, once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { startRelay, visit } from "../../__tests__/support/bareRelay";
import { rejectionOf } from "../../__tests__/support/failures";
import { soon } from "../../__tests__/support/soon";
import { stopTime } from "../../__tests__/support/stopTime";
import { decodeReset, encodeResponseHead } from "../../relay/framePayloads";
import { flagEnd, FrameType } from "../../relay/frames";
import { resolveRelayConfig } from "./config";
import { defaultFdPermits, FdPermits } from "./fdPermits";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";
import { VisitorConnections } from "./visitorConnections";

async function published(config: Partial<TunnelRelayConfig>) {
  const relay = await startRelay(config);
  const bare = await bareDriver(relay.url);
  await bare.greet();
  const { containerPort } = (await bare.bind()) as { containerPort: number };
  return {
    relay,
    bare,
    containerPort,
    async [Symbol.asyncDispose]() {
      await bare[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

async function answerNext(bare: BareDriver, status = 200): Promise<void> {
  const { streamId } = await bare.nextFrame(FrameType.HEAD);
  bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status, reason: "", headers: [] }));
}

/** What a server sends to bytes until it ends the connection. */
function exchangeBytes(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => {});
  socket.write(bytes);
  return soon(once(socket, "close").then(() => text));
}

const factsOf = ({ message }: Awaited<ReturnType<typeof visit>>): unknown[] => [
  message.statusCode,
  message.headers["x-hoody-tunnel-error"],
  message.headers["retry-after"],
];

describe("connections that have not greeted", () => {
  it("connections that have not greeted have their number, past which sockets are cut without an answer", async () => {
    await using relay = await startRelay({ limits: { maxPreAuthConnections: 1 } });
    await using waiting = await bareDriver(relay.url);
    const cut = new WebSocket(`${relay.url.replace(/^http/, "ws")}/api/v1/tunnel/connect`, ["hoody-tunnel.v2"], {
      headers: { "x-runner-token": "anna" },
    });
    const [error] = (await soon(once(cut, "error"))) as [Error];
    await waiting.greet();
    await using next = await bareDriver(relay.url);

    expect(error.message).toBe("socket hang up");
    expect((await next.greet()).resumed).toBe(false);
    expect(relay.relay.parts.counters.preAuthRejected).toBe(1);
  });

  it("connections that have not greeted in time are cut without a code", async () => {
    using time = stopTime();
    await using relay = await startRelay({ limits: { helloTimeoutMs: 30 } });
    await using silent = await bareDriver(relay.url);
    time.advance(30);

    expect((await silent.closed()).code).toBe(1006);
  });

  it("connections that have not greeted are answered 431 when their head is too large", async () => {
    await using relay = await startRelay({ limits: { connectHeadBytes: 1_000 } });
    const ws = new WebSocket(`${relay.url.replace(/^http/, "ws")}/api/v1/tunnel/connect`, ["hoody-tunnel.v2"], {
      headers: { "x-runner-token": "anna", "x-filler": "x".repeat(1_000) },
    });
    ws.on("error", () => {});
    const [, response] = (await soon(once(ws, "unexpected-response"))) as [unknown, { statusCode: number }];
    ws.terminate();

    expect(response.statusCode).toBe(431);
  });
});

describe("sessions and what they have", () => {
  it.each([
    ["all callers", { maxSessions: 1 }, "berta"],
    ["one caller", { maxSessionsPerPrincipal: 1 }, "anna"],
  ])("sessions of %s have their number", async (_what, limits, token) => {
    await using relay = await startRelay({ limits });
    await using first = await bareDriver(relay.url, { token: "anna" });
    await first.greet();
    await using second = await bareDriver(relay.url, { token });
    second.send({ t: "HELLO" });

    expect(await second.next("HELLO_ERR")).toMatchObject({ code: "CAPACITY" });
    expect((await second.closed()).code).toBe(1002);
  });

  it("sessions and what they have: bindings have their number, at which the same one may be asked for again", async () => {
    await using story = await published({ limits: { maxBindings: 1 } });
    const { bare, containerPort } = story;

    expect(await bare.bind()).toMatchObject({ code: "BIND_CAP_EXCEEDED", retryable: false });
    expect(await bare.bind({ containerPort })).toMatchObject({ t: "BIND_OK", containerPort });
  });

  it("sessions and what they have: visitors have their number, past which they are told to come back", async () => {
    await using story = await published({ limits: { maxStreams: 1 } });
    const { bare, containerPort } = story;
    const { containerPort: tcpPort } = (await bare.bind({ kind: "tcp", mode: "pull" })) as { containerPort: number };
    const first = visit(containerPort);
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    const second = await visit(containerPort);
    const tcp = await exchangeBytes(tcpPort, "hello");
    bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));

    expect(factsOf(second)).toEqual([503, "STREAM_LIMIT", "1"]);
    expect(tcp).toBe("");
    expect((await soon(first)).message.statusCode).toBe(204);
  });

  it("sessions and what they have: control messages have a rate, past which the connection is closed", async () => {
    await using story = await published({ limits: { controlRate: 1, controlBurst: 4 } });
    for (let req = 0; req < 4; req++) story.bare.send({ t: "UNBIND", req, bindId: 99 });

    expect(await story.bare.next("GOAWAY")).toMatchObject({ code: "ENHANCE_CALM" });
    expect((await story.bare.closed()).code).toBe(4002);
  });

  it("sessions and what they have: replies that nobody reads have their number", async () => {
    await using story = await published({ limits: { maxControlFrames: 10 } });
    const { bare } = story;
    const ping = Buffer.concat([Buffer.from([6, 0, 0, 8, 0, 0, 0, 0]), Buffer.alloc(8)]);
    bare.ws.send(Buffer.concat(Array.from({ length: 11 }, () => ping)));

    expect((await bare.closed()).code).toBe(4002);
  });
});

describe("descriptors of the process", () => {
  it("descriptors of the process are told by the system, else by the config, less what the rest of it needs", () => {
    expect(defaultFdPermits(1_000)).toBeGreaterThan(0);
    expect(defaultFdPermits(1_000)).toBeLessThanOrEqual(65_280);
  });

  it("descriptors of the process that are used up are answered 503 to visitors, INTERNAL to bindings, and by closing TCP", async () => {
    await using story = await published({ limits: { fdPermits: 4 } });
    const { bare, containerPort, relay } = story;
    const { containerPort: tcpPort } = (await bare.bind({ kind: "tcp", mode: "pull" })) as { containerPort: number };
    const first = visit(containerPort);
    const { streamId } = await bare.nextFrame(FrameType.HEAD);

    expect(relay.relay.parts.permits.available).toBe(0);
    expect(factsOf(await visit(containerPort))).toEqual([503, "STREAM_LIMIT", "1"]);
    expect(await exchangeBytes(tcpPort, "hello")).toBe("");
    expect(await bare.bind()).toMatchObject({ code: "INTERNAL", retryable: true });
    expect(await rejectionOf(bareDriver(relay.url))).toBeInstanceOf(Error);

    bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));
    await soon(first);
    while (relay.relay.parts.permits.available === 0) await relay.operate("/health");
    const later = visit(containerPort);
    await answerNext(bare, 205);

    expect((await soon(later)).message.statusCode).toBe(205);
  });

  it("descriptors of the process are given back once for each, however often that is said", () => {
    const permits = new FdPermits(1);
    const release = permits.take();
    const none = permits.take();
    release?.();
    release?.();

    expect(none).toBeUndefined();
    expect(permits.available).toBe(1);
  });
});

describe("connections of one address", () => {
  const socketOf = (): Socket => new EventEmitter() as Socket;

  it("connections of one address have their number, which others and this machine do not share", () => {
    const connections = new VisitorConnections({ permits: new FdPermits(100), maxPerAddress: 1 });
    const [first, second] = [socketOf(), socketOf()];
    const verdicts = [
      connections.admit(first, "203.0.113.7"),
      connections.admit(first, "203.0.113.7"),
      connections.admit(second, "203.0.113.7"),
      connections.admit(socketOf(), "203.0.113.8"),
      connections.admit(socketOf(), "127.0.0.1"),
      connections.admit(socketOf(), "127.0.0.1"),
    ].map((verdict) => verdict?.code);
    first.emit("close");

    expect(verdicts).toEqual([undefined, undefined, "RATE_LIMITED", undefined, undefined, undefined]);
    expect(connections.admit(second, "203.0.113.7")?.code).toBe("RATE_LIMITED");
    expect(connections.admit(socketOf(), "203.0.113.7")).toBeUndefined();
  });

  it("connections of one address are counted behind a proxy by the requests that are under way", async () => {
    await using story = await published({
      trustedProxies: ["127.0.0.1"],
      limits: { maxConnectionsPerVisitorIp: 1 },
    });
    const { bare, containerPort } = story;
    const from = (address: string) => visit(containerPort, "/", { "x-forwarded-for": address });
    const first = from("203.0.113.7");
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    const second = await from("6.6.6.6, 203.0.113.7");
    const other = from("203.0.113.8");
    await answerNext(bare, 204);
    bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));
    await soon(first);
    const again = from("203.0.113.7");
    await answerNext(bare, 205);

    expect(factsOf(second)).toEqual([429, "RATE_LIMITED", undefined]);
    expect((await soon(other)).message.statusCode).toBe(204);
    expect((await soon(again)).message.statusCode).toBe(205);
  });
});

describe("time and size of a visitor's request", () => {
  it("time and size of a visitor's request: a head that is too large is answered 431, and a slow one 408", async () => {
    await using small = await published({ limits: { visitorHeadBytes: 2_000 } });
    await using brisk = await published({ limits: { visitorHeadMs: 50 } });
    const head = "GET / HTTP/1.1\r\nHost: localhost\r\n";

    expect(await exchangeBytes(small.containerPort, `${head}X-Filler: ${"x".repeat(2_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await exchangeBytes(brisk.containerPort, head)).toMatch(/^HTTP\/1.1 408 /);
  });

  it("time and size of a visitor's request: a connection that stays silent between requests is closed", async () => {
    await using story = await published({ limits: { visitorIdleMs: 50 } });
    const { bare, containerPort } = story;
    const exchanged = exchangeBytes(containerPort, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await answerNext(bare, 204);

    expect(await exchanged).toMatch(/^HTTP\/1.1 204 /);
  });

  it("time and size of a visitor's request: a body that stops arriving is answered 408, and its driver is told", async () => {
    await using story = await published({ limits: { visitorRequestMs: 50 } });
    const { bare, containerPort } = story;
    const req = request({ host: "127.0.0.1", port: containerPort, method: "POST", agent: false });
    req
      .setHeader("content-length", 10)
      .on("error", () => {})
      .write("12345");
    const [message] = (await soon(once(req, "response"))) as [IncomingMessage];
    const reset = decodeReset((await bare.nextFrame(FrameType.RESET)).payload);

    req.destroy();

    expect([message.statusCode, message.headers["x-hoody-tunnel-error"]]).toEqual([408, "REQUEST_TIMEOUT"]);
    expect(reset).toMatchObject({ code: 10, reason: "The request took too long to arrive." });
  });

  it.each([
    ["a request may take", { limits: { visitorRequestMs: 100, window: 8_388_608 } }, 500],
    ["a response may take", { responseTimeoutMs: 300, limits: { window: 8_388_608 } }, 700],
  ])(
    "time and size of a visitor's request: a body may arrive at a pace for longer than %s",
    async (_what, config, ms) => {
      using time = stopTime();
      await using story = await published(config);
      const { bare, containerPort } = story;
      const req = request({ host: "127.0.0.1", port: containerPort, method: "POST", agent: false });
      const answered = once(req, "response") as Promise<[{ statusCode: number; resume(): void }]>;
      req.write(Buffer.alloc(1_024));
      const { streamId } = await bare.nextFrame(FrameType.HEAD);
      const stepMs = 20;
      for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
        await bare.nextFrame(FrameType.DATA);
        time.advance(stepMs);
        req.write(Buffer.alloc(1_024));
      }
      req.end();
      bare.frame(FrameType.HEAD, flagEnd, streamId, encodeResponseHead({ status: 204, reason: "", headers: [] }));
      const [message] = await soon(answered);
      message.resume();

      expect(message.statusCode).toBe(204);
    },
  );

  it("time and size of a visitor's request: a driver that does not answer in time costs its visitor 504", async () => {
    await using story = await published({ responseTimeoutMs: 30 });
    const late = await soon(visit(story.containerPort));

    expect(factsOf(late)).toEqual([504, "UPSTREAM_TIMEOUT", undefined]);
  });

  it("time and size of a visitor's request: a driver that does not answer a body in time costs its visitor 504", async () => {
    await using story = await published({ responseTimeoutMs: 30 });
    const req = request({ host: "127.0.0.1", port: story.containerPort, method: "POST", agent: false });
    const answered = once(req.end("a body"), "response") as Promise<[IncomingMessage]>;
    const [{ statusCode, headers }] = await soon(answered);

    expect([statusCode, headers["x-hoody-tunnel-error"]]).toEqual([504, "UPSTREAM_TIMEOUT"]);
    expect(decodeReset((await story.bare.nextFrame(FrameType.RESET)).payload)).toMatchObject({ code: 10 });
  });
});

describe("a limit that cannot be meant", () => {
  it.each([
    ["limits.maxWindow", { window: 100_000, maxWindow: 50_000 }],
    ["limits.window", { window: 2 ** 32 }],
    ["limits.linkQueueBytes", { linkQueueBytes: 2_000_000, maxLinkQueueBytes: 1_500_000 }],
    ["limits.maxFrame", { maxFrame: 262_145 }],
    ["limits.maxStreams", { maxStreams: 4_097 }],
  ])("a limit that cannot be meant beside another one, or beside the protocol, is refused: %s", (name, limits) => {
    expect(() => resolveRelayConfig({ listen: { port: 0 }, limits })).toThrow(name);
  });

  it("a limit that cannot be meant is not a time that no timer holds: it means for ever", async () => {
    await using story = await published({ responseTimeoutMs: 2 ** 40, limits: { visitorIdleMs: 2 ** 40 } });
    const visited = visit(story.containerPort);
    await answerNext(story.bare, 204);

    expect((await soon(visited)).message.statusCode).toBe(204);
  });

  it.each([
    "maxPreAuthConnections",
    "helloTimeoutMs",
    "maxSessions",
    "maxSessionsPerPrincipal",
    "maxConnectionsPerSession",
    "maxStreams",
    "maxBindings",
    "maxFrame",
    "window",
    "maxWindow",
    "sessionBufferBytes",
    "linkQueueBytes",
    "maxLinkQueueBytes",
    "maxControlFrames",
    "controlRate",
    "controlBurst",
    "connectHeadBytes",
    "fdPermits",
    "maxConnectionsPerVisitorIp",
    "visitorHeadBytes",
    "visitorHeadMs",
    "visitorRequestMs",
    "visitorIdleMs",
  ])("a limit that cannot be meant is refused by its name: %s", (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, "10"]) {
      expect(() => resolveRelayConfig({ listen: { port: 0 }, limits: { [name]: value } })).toThrow(`limits.${name}`);
    }
  });
});

it.each([
  ["aliases", "a URL", { aliases: { "https://shop.example.com": { name: "web" } } }],
  ["aliases", "a port", { aliases: { "shop.example.com:443": { name: "web" } } }],
  ["aliases", "a name of capitals", { aliases: { "shop.example.com": { name: "Web" } } }],
  ["aliases", "a name that is reserved", { aliases: { "shop.example.com": { name: "www" } } }],
  ["aliases", "a text alone", { aliases: { "shop.example.com": "web" as never } }],
  ["hosts", "a URL", { hosts: ["https://relay.example.com"] }],
  ["hosts", "a port", { hosts: ["relay.example.com:443"] }],
  ["hosts", "a wildcard", { hosts: ["*.example.com"] }],
])("%s of a relay with what no request can match is refused: %s", (option, _what, config) => {
  expect(() => resolveRelayConfig({ listen: { port: 0 }, ...config })).toThrow(new RegExp(`^${option}`));
});

it("hosts and aliases of a relay are compared in small letters, and without a dot at their end", () => {
  const config = { hosts: ["Relay.Example.com.", "[::1]"], aliases: { "Shop.Example.com": { name: "web" } } };
  const { hosts, aliases } = resolveRelayConfig({ listen: { port: 0 }, ...config });

  expect([[...hosts], [...aliases]]).toEqual([["relay.example.com", "[::1]"], [["shop.example.com", "web"]]]);
});
