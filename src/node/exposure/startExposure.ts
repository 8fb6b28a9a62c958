import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { Drain, longestDrainMs, type DrainPhase } from "../../lib/drain";
import { readyEventId } from "../../define/reservedIds";
import type { Metrics } from "../../globals/metrics/metrics";
import type { Logger } from "../../globals/resources/logger";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Store } from "../../runtime/run/store";
import type { SerializerLike } from "../../serializer/codec";
import type { WireTarget } from "../../tunnels/protocol/wire";
import { createHealthChecks } from "../../tunnels/server/healthChecks";
import { serveRun } from "../../tunnels/server/serveRun";
import { openNodeFile } from "../files/nodeInputFile";
import { resolveExposureConfig, type NodeExposureConfig, type ResolvedExposureConfig } from "./config/config";
import { createEdgeReports } from "../../tunnels/http/edgeReports";
import { httpServeOptions, unusableCors } from "../../tunnels/http/serveOptions";
import { createCors } from "../../tunnels/http/cors";
import { loadCookieParser } from "./cookies";
import { createExposureHandler, type ExposureHandler, type ExposureParts } from "./exposureHandler";
import type { Health } from "./probes";
import { openNodeStream } from "./reply/pieceFlow";
import { portOf, urlOf } from "../server/serverAddress";
import { createTokenMatcher } from "../server/tokenMatcher";
import { createServers } from "../server/servers";

/** The value of `nodeExposure`: what it serves with, and ways to mount it elsewhere. */
export interface NodeExposureHandlers {
  /** Resolves with `false`, and writes nothing, when the request is outside the base path. */
  handleRequest(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  handleTask(req: IncomingMessage, res: ServerResponse): Promise<void>;
  handleEvent(req: IncomingMessage, res: ServerResponse): Promise<void>;
  handleDiscovery(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Replies 404 outside the base path. */
  createRequestListener(): RequestListener;
  /** A server that does not listen yet. */
  createServer(): Server;
  /** Serves the base path of a server and leaves its other requests alone. @returns what detaches */
  attachTo(server: Server): () => void;
  /** The server that is listened on or attached to by config. */
  readonly server: Server | null;
  /** Without a slash at the end. */
  readonly basePath: string;
  /**
   * What clients take as `baseUrl`, such as "http://127.0.0.1:7070/__runner"; of a server on all interfaces, with its
   * loopback address. The base path alone while no server listens.
   */
  readonly url: string;
  /** Where the server listens; 0 while none does. */
  readonly port: number;
  /** "draining" from the first call of `close()` until it resolves. */
  readonly phase: DrainPhase;
  /**
   * Serves what is on its way, waits for calls in flight and closes the own server; see `http.drain`. Servers of yours
   * then get 503 `SERVER_CLOSING` for whatever is below the base path.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an exposure depends on, as values. */
export interface NodeExposureDeps {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
  readonly serializer: SerializerLike;
  /** Where `http.metrics` has a path. */
  readonly metrics?: Metrics | undefined;
}

/** Serves a run, whose end drains the exposure and closes it. */
export async function startExposure(
  config: NodeExposureConfig | undefined,
  dependencies: NodeExposureDeps,
): Promise<NodeExposureHandlers> {
  const resolved = resolveExposureConfig(config);
  const drain = new Drain();
  const parseCookies = await loadCookieParser();
  const reports = createEdgeReports("http", dependencies.logger);
  const handler = createExposure(resolved, dependencies, { drain, parseCookies, ...reports });
  const { drain: times, limits } = resolved;
  const servers = createServers({ handler, drain, times, limits, onUnhandled: reports.onUnhandled });
  const server = await openServer(resolved, servers);
  dependencies.store.addDrain({ longestMs: longestDrainMs(resolved.drain), drain: servers.closeGently });
  const { basePath, listen } = resolved;
  if (server !== null && resolved.server === undefined) {
    const data = { basePath, port: portOf(server), host: listen?.host };
    void dependencies.logger.info("node.exposure.listen", { data });
  }
  const handleOnly = (kind: WireTarget["kind"]) => async (req: IncomingMessage, res: ServerResponse) => {
    await servers.serveMounted(req, res, () => handler.handleOnly(kind, req, res));
  };
  return {
    async handleRequest(req, res) {
      if (!handler.serves(req)) return false;
      await new Promise<void>((resolve) => {
        if (servers.serveMounted(req, res, () => handler.handle(req, res, resolve)) === undefined) resolve();
      });
      return true;
    },
    handleTask: handleOnly("task"),
    handleEvent: handleOnly("event"),
    handleDiscovery: handleOnly("discovery"),
    createRequestListener: servers.createRequestListener,
    createServer: servers.createServer,
    attachTo: servers.attachTo,
    server,
    basePath,
    get url() {
      return urlOf(server, basePath);
    },
    get port() {
      return portOf(server);
    },
    get phase() {
      return drain.phase;
    },
    close: servers.close,
    [Symbol.asyncDispose]: servers.close,
  };
}

/** Joins the HTTP edge to a run. */
function createExposure(
  config: ResolvedExposureConfig,
  run: NodeExposureDeps,
  parts: Pick<ExposureParts, "drain" | "parseCookies" | "onBroken" | "onDropped" | "onUnhandled">,
): ExposureHandler {
  const { auth } = config;
  const { logger } = run;
  const cors = createCors(config.cors);
  if (cors.isUnusable) void logger.warn(unusableCors);
  const served = serveRun(run, {
    ...httpServeOptions(config, cors, auth.tokens && createTokenMatcher(auth.tokens)),
    openFile: openNodeFile,
    openStream: openNodeStream,
  });
  const hasChecks = config.probes.health !== undefined || config.probes.ready !== undefined;
  return createExposureHandler({
    ...served,
    requests: run.store.tracing?.requests,
    health: hasChecks ? watchHealth(run, parts.drain) : undefined,
    metrics: run.metrics,
    heldBytes: run.store.tracing?.heldBytes,
    config,
    cors,
    ...parts,
  });
}

/** The run counts as ready once everything that waits for that has been told, hooks of the application included. */
function watchHealth({ store, eventManager }: NodeExposureDeps, drain: Drain): Health {
  let isReady = false;
  const ready = store.events.get(readyEventId)?.event;
  const becomeReady = (): void => void (isReady = true);
  if (ready !== undefined) eventManager.addListener(ready, becomeReady, { order: Number.MAX_SAFE_INTEGER });
  return { checks: createHealthChecks(store, drain), isReady: () => isReady };
}

async function openServer(
  { server, listen }: ResolvedExposureConfig,
  servers: ReturnType<typeof createServers>,
): Promise<Server | null> {
  if (server !== undefined) {
    servers.attachTo(server);
    return server;
  }
  return listen === undefined ? null : servers.listen(listen.port, listen.host);
}
