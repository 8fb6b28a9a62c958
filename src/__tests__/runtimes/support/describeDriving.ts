import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { buffer } from "node:stream/consumers";
import { r, run, tunnelRelay, type TunnelRelay } from "@bluelibs/runner/node";
import { WebSocket, WebSocketServer } from "ws";
import { startProgram, type Program } from "./project";

const token = "relay-secret";
const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** Sends a body of 5 MB, in chunks. */
async function post(port: number) {
  const body = Buffer.alloc(5_000_000, "runner");
  const req = request({ host: "127.0.0.1", port, method: "POST", path: "/a?b=1", agent: false });
  req.end(body);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  const { statusCode: status, headers, trailers } = res;
  const isWhole = sha(await buffer(res)) === sha(body);
  return { status, method: headers["x-method"], sum: trailers["x-sum"] ?? res.trailers["x-sum"], isWhole };
}

/** Ends its direction first, and takes what comes after. */
async function halfClose(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end("x".repeat(300_000));
  return sha(await buffer(socket));
}

async function echoOverWebSocket(port: number): Promise<number[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  const lengths: number[] = [];
  for (const size of [3, 200_000]) {
    socket.send("x".repeat(size));
    const [data] = (await once(socket, "message")) as [Buffer];
    lengths.push(data.length);
  }
  socket.close();
  await once(socket, "close");
  return lengths;
}

/** A driver that the runtime runs, at a relay in Node: what visitors of the relay receive. */
export function describeDriving(
  runtime: string,
  commandOf: (program: string, ...args: string[]) => readonly string[],
): void {
  describe(`a driver of reverse tunnels in ${runtime}`, () => {
    const http = createServer((req, res) => {
      res.writeHead(201, { "x-method": req.method, trailer: "x-sum" });
      req.pipe(res, { end: false });
      req.on("end", () => {
        res.addTrailers({ "x-sum": "1" });
        res.end();
      });
    });
    const webSockets = new WebSocketServer({ server: http });
    webSockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(data)));
    const tcp = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const pieces: Buffer[] = [];
      socket.on("data", (piece: Buffer) => pieces.push(piece));
      socket.on("end", () => socket.end(Buffer.concat(pieces)));
    });
    let relay: TunnelRelay;
    let dispose: () => Promise<void>;
    let places: Record<string, unknown>;
    let driver: Program;
    let [exposed, pulled, served] = [0, 0, 0];

    beforeAll(async () => {
      const app = await run(
        r
          .resource("relay")
          .register([tunnelRelay.with({ listen: { port: 0 }, portRange: [10_000, 19_999], auth: { token } })])
          .build(),
        { logs: { printThreshold: null } },
      );
      dispose = () => app.dispose();
      relay = app.getResourceValue(tunnelRelay);
      places = { relay: relay.url, token, httpPort: await listen(http), tcpPort: await listen(tcp) };
      driver = startProgram(commandOf("drive.mjs", JSON.stringify(places)));
      [exposed = 0, pulled = 0, served = 0] = JSON.parse(await driver.line(/^bound (.*)/)) as number[];
    }, 60_000);
    afterAll(async () => {
      await driver?.[Symbol.asyncDispose]();
      await dispose?.();
      webSockets.close();
      http.closeAllConnections();
      http.close();
      tcp.close();
    });

    const serves = async (): Promise<void> => {
      expect(await post(exposed)).toEqual({ status: 201, method: "POST", sum: "1", isWhole: true });
      expect(await post(served)).toEqual({ status: 200, method: "POST", sum: undefined, isWhole: true });
    };

    it(`a driver of reverse tunnels in ${runtime} exposes a service, and serves a listener of its own`, serves);

    it(`a driver of reverse tunnels in ${runtime} carries WebSockets`, async () => {
      expect(await echoOverWebSocket(exposed)).toEqual([3, 200_000]);
    });

    it(`a driver of reverse tunnels in ${runtime} pulls a TCP service, half-closed connections included`, async () => {
      expect(await halfClose(pulled)).toBe(sha(Buffer.alloc(300_000, "x")));
    });

    it(`a driver of reverse tunnels in ${runtime} resumes its session when its connection is lost`, async () => {
      for (const { sessionId } of relay.sessions()) relay.drop(sessionId);

      expect(await driver.line(/^resumed (.*)/)).toBe("true");
      await serves();
    });

    it(`a driver of reverse tunnels in ${runtime} ends with an error when its credentials are refused`, async () => {
      await using refused = startProgram(commandOf("drive.mjs", JSON.stringify({ ...places, token: "wrong" })));

      expect(await refused.line(/^refused (.*)/)).toBe("TunnelRefusedError 401");
      expect(await refused.ended).toBe(1);
    });

    it(`a driver of reverse tunnels in ${runtime} leaves the relay on SIGTERM, and ends with exit code 0`, async () => {
      driver.child.kill("SIGTERM");

      await driver.line(/^closed$/);
      expect([await driver.ended, relay.sessions()]).toEqual([0, []]);
    });
  });
}
