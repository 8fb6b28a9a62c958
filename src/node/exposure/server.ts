import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { settlesWithin } from "../../lib/timers";
import type { ExposureHandler } from "./exposureHandler";
import type { ResolvedLimits } from "./config/limits";

/** The servers of one exposure: an own one, and those it is attached to. */
export interface ExposureServers {
  createRequestListener(): RequestListener;
  createServer(): Server;
  /** @returns what detaches; calling it again does nothing */
  attachTo(server: Server): () => void;
  /** Starts an own server. Rejects when it cannot listen. */
  listen(port: number, host: string): Promise<Server>;
  /** Detaches and closes what is owned; every call returns the same promise. */
  close(): Promise<void>;
  readonly isClosing: boolean;
}

export function createServers(handler: ExposureHandler, limits: ResolvedLimits): ExposureServers {
  /** Who has attached to a server and not detached yet: it is listened to once, however many they are. */
  const attached = new Map<Server, Set<() => void>>();
  const made = new WeakSet<Server>();
  let owned: Server | undefined;
  let closing: Promise<void> | undefined;

  const onRequest: RequestListener = (req, res) => {
    if (handler.handle(req, res) === undefined) handler.refuse(req, res);
  };
  const onAttachedRequest: RequestListener = (req, res) => void handler.handle(req, res);

  function createServer(): Server {
    const { headersMs, headerBytes } = limits;
    const server = createHttpServer(
      // How long a body may take is our own limit: Node's would cut long uploads with a bare 408.
      {
        headersTimeout: headersMs,
        requestTimeout: 0,
        maxHeaderSize: headerBytes,
        connectionsCheckingInterval: Math.min(Math.max(headersMs, 50), 1000),
      },
      onRequest,
    );
    made.add(server);
    return server;
  }

  function attachTo(server: Server): () => void {
    // It serves already.
    if (made.has(server)) return () => {};
    const holders = attached.get(server) ?? new Set();
    if (holders.size === 0) server.on("request", onAttachedRequest);
    attached.set(server, holders);
    const detach = (): void => {
      if (!holders.delete(detach) || holders.size > 0) return;
      server.off("request", onAttachedRequest);
      attached.delete(server);
    };
    holders.add(detach);
    return detach;
  }

  async function close(): Promise<void> {
    for (const holders of attached.values()) for (const detach of holders) detach();
    const closed = owned && new Promise((resolve) => owned?.close(resolve));
    const endsAt = performance.now() + limits.closeMs;
    const leftMs = (): number => Math.max(0, endsAt - performance.now());
    // What is served over a server of somebody else's is waited for as well: its tasks need what is disposed of next.
    while (await settlesWithin(handler.whenIdle(), leftMs())) {
      if (owned === undefined) return;
      // Those whose reply had begun before were not told to close.
      owned.closeIdleConnections();
      if (await settlesWithin(Promise.resolve(closed), Math.min(quietMs, leftMs()))) return;
      // What is left says nothing, unless it has sent a request meanwhile.
      if (handler.isIdle) break;
    }
    owned?.closeAllConnections();
    await closed;
  }

  return {
    createRequestListener: () => onRequest,
    createServer,
    attachTo,
    async listen(port, host) {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(port, host, () => {
          server.off("error", reject);
          resolve();
        });
      });
      owned = server;
      return server;
    },
    close: () => (closing ??= close()),
    get isClosing() {
      return closing !== undefined;
    },
  };
}

/** How long a connection over which nothing is served may still bring a request, once everything else is done. */
const quietMs = 250;
