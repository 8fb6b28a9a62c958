import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Drain, DrainTimes } from "../../lib/drain";
import { attach } from "./attachments";
import { cutReply, missingOfHandMade, refuseHandMade } from "./handMadeResponse";
import { acceptWaiting, drainServers } from "./drainServers";
import { createLimitedServer, startServer, type OwnServer, type ServerLimits } from "./ownServer";

/** What serves the requests of these servers. */
export interface RequestHandler {
  readonly basePath: string;
  /** Whether a request is below the base path. */
  serves(req: IncomingMessage): boolean;
  /**
   * @param onDone called once nothing is left to do
   * @returns false, and leaves the request alone, when it is outside the base path
   */
  handle(req: IncomingMessage, res: ServerResponse, onDone?: () => void): boolean;
  /** Replies to a request outside the base path. */
  refuse(req: IncomingMessage, res: ServerResponse): void;
}

/** The servers that bring requests to one handler: an own one, those it is attached to, and those that call it. */
export interface Servers {
  createRequestListener(): RequestListener;
  createServer(): Server;
  /** @returns what detaches; calling it again does nothing */
  attachTo(server: Server): () => void;
  /** Starts an own server. Rejects when it cannot listen. */
  listen(port: number, host: string): Promise<Server>;
  /**
   * Serves a request of a server that is not closed here. What was made by hand and cannot be served is refused; it never
   * throws.
   *
   * @returns what `serve` returns; `undefined` when it was refused
   */
  serveMounted<R>(req: IncomingMessage, res: ServerResponse, serve: () => R): R | undefined;
  /** Drains all of them and closes the own one; every call returns the same promise. Accepts nothing more at once. */
  close(): Promise<void>;
  /** As `close`, but accepts what waits for that. */
  closeGently(): Promise<void>;
}

export interface ServersParts {
  readonly handler: RequestHandler;
  readonly drain: Drain;
  readonly times: DrainTimes;
  readonly limits: ServerLimits;
  /** A request or response is none that can be served. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

export function createServers({ handler, drain, times, limits, onUnhandled }: ServersParts): Servers {
  const made = new WeakSet<Server>();
  const mountedReplies = new Set<ServerResponse>();
  let isMounted = false;
  let own: OwnServer | undefined;
  let closing: Promise<void> | undefined;

  const onRequest: RequestListener = (req, res) => {
    if (!handler.handle(req, res)) handler.refuse(req, res);
  };
  const onMountedRequest: RequestListener = (req, res) => serveMounted(req, res, () => onRequest(req, res));

  function serveMounted<R>(req: IncomingMessage, res: ServerResponse, serve: () => R): R | undefined {
    isMounted = true;
    const missing = missingOfHandMade(req, res);
    if (missing !== "") {
      refuseHandMade(res);
      onUnhandled(new TypeError(`Handlers take a request and a response of node:http; missing: ${missing}.`), "");
      return undefined;
    }
    try {
      res.once("close", () => mountedReplies.delete(res));
      mountedReplies.add(res);
      return serve();
    } catch (error) {
      mountedReplies.delete(res);
      onUnhandled(error, "");
      cutReply(res);
      return undefined;
    }
  }

  const close = (): Promise<void> =>
    (closing ??= drainServers(drain, times, {
      own,
      isMounted,
      cutMounted: () => mountedReplies.forEach((res) => res.writableEnded || cutReply(res)),
    }));

  function createServer(listener: RequestListener): Server {
    const server = createLimitedServer(listener, limits);
    made.add(server);
    return server;
  }

  return {
    createRequestListener: () => onMountedRequest,
    createServer: () => createServer(onMountedRequest),
    attachTo(server) {
      // It serves already.
      if (made.has(server)) return () => {};
      return attach(server, {
        basePath: handler.basePath,
        serves: handler.serves,
        onRequest: onMountedRequest,
        isClosed: () => drain.phase === "closed",
      });
    },
    async listen(port, host) {
      own = await startServer(createServer(onRequest), port, host);
      return own.server;
    },
    serveMounted,
    close,
    async closeGently() {
      drain.announce();
      if (own !== undefined) await acceptWaiting();
      await close();
    },
  };
}
