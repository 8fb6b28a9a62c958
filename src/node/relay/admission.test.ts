import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { bareDriver } from "../../__tests__/support/bareDriver";
import { startRelay } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { quiet } from "../../__tests__/support/tunnelPair";
import { globals, r, run, type AuthValidatorInput, type TunnelRelayConfig } from "../../node";
import { encodeResponseHead } from "../../relay/framePayloads";
import { flagUpgrade, FrameType } from "../../relay/frames";
import { tunnelRelay } from "./tunnelRelay";

/** What a server answers to bytes: the first line of its response, once it has ended the connection. */
function exchangeBytes(port: number, bytes: string): Promise<string> {
  return soon(
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
      socket.on("error", () => {}).on("close", () => resolve(text.split("\r\n", 1)[0] as string));
      socket.write(bytes);
    }),
  );
}

async function startSecuredRelay(config: Partial<TunnelRelayConfig>, seen: AuthValidatorInput[] = []) {
  const judge = r
    .task("relay.tasks.judge")
    .tags([globals.tags.authValidator])
    .run(async (input) => {
      seen.push(input);
      return { ok: false };
    })
    .build();
  const relay = tunnelRelay.with({ listen: { port: 0 }, auth: { token: "s3cret+/=" }, ...config });
  const app = await run(r.resource("relay").register([judge, relay]).build(), quiet);
  return { url: app.getResourceValue(tunnelRelay).url.replace(/\/$/, ""), [Symbol.asyncDispose]: () => app.dispose() };
}

/** Connects as a page does: it decides nothing but the subprotocols. */
async function connectPage(url: string, protocols: readonly string[], origin = "https://app.test") {
  const ws = new WebSocket(`${url.replace(/^http/, "ws")}/api/v1/tunnel/connect`, [...protocols], { origin });
  ws.on("error", () => {});
  const outcome = await soon(
    Promise.race([
      once(ws, "open").then(() => ws.protocol),
      once(ws, "unexpected-response").then(([, response]) => (response as { statusCode: number }).statusCode),
    ]),
  );
  ws.terminate();
  return outcome;
}

const offer = (token: string): string => `runner-token.${Buffer.from(token).toString("base64url")}`;

describe("a page that drives a tunnel", () => {
  it.each([
    ["its token among the subprotocols", ["hoody-tunnel.v2", offer("s3cret+/=")], "hoody-tunnel.v2"],
    ["its token before the subprotocol", [offer("s3cret+/="), "hoody-tunnel.v1"], "hoody-tunnel.v1"],
    ["another token", ["hoody-tunnel.v2", offer("guess")], 401],
    ["two tokens", ["hoody-tunnel.v2", offer("s3cret+/="), offer("guess")], 401],
    ["no token", ["hoody-tunnel.v2"], 401],
    ["a token and no subprotocol", [offer("s3cret+/=")], 400],
  ])("a page that drives a tunnel and offers %s is answered accordingly", async (_what, protocols, outcome) => {
    await using relay = await startSecuredRelay({ allowedOrigins: ["https://app.test"] });

    expect(await connectPage(relay.url, protocols)).toBe(outcome);
  });

  it("a page that drives a tunnel needs an origin that is allowed, whatever token it has", async () => {
    await using relay = await startSecuredRelay({ allowedOrigins: ["https://app.test"] });

    expect(await connectPage(relay.url, ["hoody-tunnel.v2", offer("s3cret+/=")], "https://evil.test")).toBe(403);
  });

  it("a page that drives a tunnel shows its token to validators in the header of tokens, and nowhere else", async () => {
    const seen: AuthValidatorInput[] = [];
    await using relay = await startSecuredRelay({ allowedOrigins: ["https://app.test"] }, seen);
    await connectPage(relay.url, ["hoody-tunnel.v2", offer("guess")]);

    expect(seen[0]?.headers).toMatchObject({ "x-runner-token": "guess", "sec-websocket-protocol": "hoody-tunnel.v2" });
  });
});

describe("a request whose body may end in more than one place", () => {
  it.each([
    ["Transfer-Encoding beside Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 5"],
    ["a repeated Transfer-Encoding", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
    ["a repeated coding", "Transfer-Encoding: chunked, chunked"],
    ["a coding after chunked", "Transfer-Encoding: chunked, gzip"],
    ["identity", "Transfer-Encoding: identity"],
    ["an unknown coding", "Transfer-Encoding: xchunked"],
    ["an empty Transfer-Encoding", "Transfer-Encoding:"],
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6"],
  ])("a request whose body may end in more than one place, by %s, is answered 400", async (_what, headers) => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort } = (await bare.bind()) as { containerPort: number };

    const line = await exchangeBytes(
      containerPort,
      `POST / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );

    expect(line).toBe("HTTP/1.1 400 Bad Request");
    expect(bare.messages).toEqual([]);
    expect(relay.relay.parts.sessions.all[0]?.openedTotal).toBe(0);
  });

  it("a request whose body has a coding that the application would not learn of is answered 400", async () => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort } = (await bare.bind()) as { containerPort: number };
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";

    expect(await exchangeBytes(containerPort, head)).toBe("HTTP/1.1 400 Bad Request");
  });
});

describe("an upgrade", () => {
  const upgrade = (headers: string): string =>
    `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`;

  it.each([
    ["to HTTP/2 in clear text", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    ["to HTTP/2 among others", "Upgrade: websocket, H2C"],
    ["to a draft of HTTP/2", "Upgrade: h2c-14"],
    ["to HTTP/2 with more behind it", "Upgrade: h2c foo"],
    ["with settings of HTTP/2", "Upgrade: websocket\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    ["with a body", "Upgrade: websocket\r\nContent-Length: 5"],
    ["with chunks", "Upgrade: websocket\r\nTransfer-Encoding: chunked"],
  ])("an upgrade %s is answered 400", async (_what, headers) => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort } = (await bare.bind()) as { containerPort: number };

    expect(await exchangeBytes(containerPort, upgrade(headers))).toMatch(/^HTTP\/1.1 400 /);
  });

  it.each([
    ["names another protocol", 101, flagUpgrade, ["Upgrade", "other", "Connection", "Upgrade"]],
    ["names none", 101, flagUpgrade, []],
    ["names two", 101, flagUpgrade, ["Upgrade", "websocket", "Upgrade", "other"]],
  ])("an upgrade whose answer %s is answered 502", async (_what, status, flags, headers) => {
    await using relay = await startRelay();
    await using bare = await bareDriver(relay.url);
    await bare.greet();
    const { containerPort } = (await bare.bind()) as { containerPort: number };
    const line = exchangeBytes(containerPort, upgrade("Upgrade: websocket"));
    const { streamId } = await bare.nextFrame(FrameType.HEAD);
    bare.frame(FrameType.HEAD, flags, streamId, encodeResponseHead({ status, reason: "", headers }));

    expect(await line).toMatch(/^HTTP\/1.1 502 /);
  });
});
