import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";

/** Limits that Node itself holds a server to. */
export interface ServerLimits {
  /** Time for the headers of a request, in ms. */
  readonly headersMs: number;
  /** Size of the headers of a request, in bytes. */
  readonly headerBytes: number;
}

/** A server that does not listen yet. */
export const createLimitedServer = (listener: RequestListener, { headersMs, headerBytes }: ServerLimits): Server =>
  createServer(
    // How long a body may take is our own limit: Node's would cut long uploads with a bare 408.
    {
      headersTimeout: headersMs,
      requestTimeout: 0,
      maxHeaderSize: headerBytes,
      connectionsCheckingInterval: Math.min(Math.max(headersMs, 50), 1000),
    },
    listener,
  );

/** A server that was started here, and the steps of its end. */
export interface OwnServer {
  readonly server: Server;
  /** Resolves once it accepts nothing more and its last connection has ended. */
  readonly closed: Promise<void>;
  /** @param keepAliveMs how long a connection lasts after a reply that did not end it */
  stopAccepting(keepAliveMs: number): void;
  /** Closes connections over which nothing is in flight. */
  closeIdle(): void;
  /** Resolves once everything that was written has left, or its connection is lost. */
  whenFlushed(): Promise<void>;
  /** Closes all connections. */
  cut(): void;
}

/** Starts a server. Rejects when it cannot listen. */
export async function startServer(server: Server, port: number, host: string): Promise<OwnServer> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  await once(server.listen(port, host), "listening");
  const unflushed = (): Socket[] => [...connections].filter(({ writableLength }) => writableLength > 0);
  return {
    server,
    closed,
    stopAccepting(keepAliveMs) {
      // Zero would mean no limit.
      server.keepAliveTimeout = Math.max(1, keepAliveMs);
      // It also closes connections whose next request may be on its way.
      sparing([...connections], () => server.close());
    },
    closeIdle() {
      // Node takes a connection for idle once its reply is handed over, although most of it may not have left.
      sparing(unflushed(), () => server.closeIdleConnections());
      // One that never brought a byte counts as busy with its first request there. Bun counts no bytes on sockets of servers.
      if (!("Bun" in globalThis)) {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
      }
    },
    async whenFlushed() {
      await Promise.all(
        unflushed().map(
          (socket) =>
            new Promise((resolve) => {
              socket.once("close", resolve).write("", resolve);
            }),
        ),
      );
    },
    cut: () => server.closeAllConnections(),
  };
}

/** Lets something close connections, but not these. */
function sparing(connections: readonly Socket[], close: () => void): void {
  for (const socket of connections) socket.destroy = () => socket;
  try {
    close();
  } finally {
    for (const socket of connections) Reflect.deleteProperty(socket, "destroy");
  }
}
