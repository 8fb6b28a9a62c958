import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import type { ExposureHandler } from "./exposureHandler";
import type { ResolvedLimits } from "./limits";

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
  const detachers = new Set<() => void>();
  let owned: Server | undefined;
  let closing: Promise<void> | undefined;

  const onRequest: RequestListener = (req, res) => {
    if (handler.handle(req, res) === undefined) handler.refuse(req, res);
  };
  const onAttachedRequest: RequestListener = (req, res) => void handler.handle(req, res);

  function createServer(): Server {
    const { headersMs, headerBytes } = limits;
    return createHttpServer(
      // How long a body may take is our own limit: Node's would cut long uploads with a bare 408.
      {
        headersTimeout: headersMs,
        requestTimeout: 0,
        maxHeaderSize: headerBytes,
        connectionsCheckingInterval: Math.min(Math.max(headersMs, 50), 1000),
      },
      onRequest,
    );
  }

  async function close(): Promise<void> {
    for (const detach of detachers) detach();
    const closed = owned && new Promise((resolve) => owned?.close(resolve));
    owned?.closeIdleConnections();
    // What is served over a server of somebody else's is waited for as well: its tasks need what is disposed of next.
    const done = await settlesWithin(Promise.all([closed, handler.whenIdle()]), limits.closeMs);
    if (done) return;
    owned?.closeAllConnections();
    await closed;
  }

  return {
    createRequestListener: () => onRequest,
    createServer,
    attachTo(server) {
      server.on("request", onAttachedRequest);
      const detach = (): void => {
        server.off("request", onAttachedRequest);
        detachers.delete(detach);
      };
      detachers.add(detach);
      return detach;
    },
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

async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = await Promise.race([work.then(() => true), timeout]);
  clearTimeout(timer);
  return settled;
}
