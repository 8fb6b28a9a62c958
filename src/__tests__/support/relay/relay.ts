import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { createTunnelAdminClient, r, run, tunnelRelay, type TunnelRelayConfig } from "../../../node";
import { quiet } from "../tunnelPair";

export const relayToken = "relay-secret";

/** A relay on a free port, with an operator's client. */
export async function startRelay(config: Partial<TunnelRelayConfig> = {}) {
  const app = await run(
    r
      .resource("relay")
      .register([
        tunnelRelay.with({
          listen: { port: 0 },
          portRange: [22_000, 31_999],
          auth: { token: relayToken },
          ...config,
        }),
      ])
      .build(),
    quiet,
  );
  const relay = app.getResourceValue(tunnelRelay);
  const admin = createTunnelAdminClient({ baseUrl: relay.url, auth: { token: relayToken } });
  /** What a driver needs to connect. */
  const driver = { relay: relay.url, token: relayToken };
  return { relay, admin, driver, [Symbol.asyncDispose]: () => app.dispose() };
}

/** A server that listens on loopback; disposing cuts its connections. */
async function listen<S extends TcpServer>(server: S, port = 0) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  return {
    server,
    sockets: sockets as ReadonlySet<Socket>,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), "close");
    },
  };
}

/** The application behind a driver. */
export const startService = (service: RequestListener | TcpServer, port?: number) =>
  listen(typeof service === "function" ? createServer(service) : service, port);

/** A TCP service behind a driver; half-closed connections stay so. */
export const startTcpService = (serve: (socket: Socket) => void) =>
  listen(createTcpServer({ allowHalfOpen: true }, serve));

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What a visitor sees of a reply, once it is whole. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly trailers: IncomingMessage["trailers"];
  readonly body: Buffer;
}

/** One request over a connection of its own. Rejects where the reply was cut. */
export async function visit(
  port: number,
  { body, ...options }: RequestOptions & { readonly body?: Uint8Array | undefined } = {},
): Promise<Reply> {
  const call = httpRequest({ host: "127.0.0.1", port, agent: false, ...options });
  const answered = once(call, "response") as Promise<[IncomingMessage]>;
  call.end(body);
  const [message] = await answered;
  const received = await buffer(message);
  const { statusCode = 0, headers, trailers } = message;
  return { status: statusCode, headers, trailers, body: received };
}

/** As much of a reply as tests of the relay's own answers look at. */
export const tellError = ({ status, headers }: Reply): readonly unknown[] => [
  status,
  headers["x-hoody-tunnel-error"],
  headers["retry-after"],
];
