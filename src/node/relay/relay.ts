import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { attach } from "../server/attachments";
import { ResetCode } from "../../relay/codes";
import { isLoopbackAddress, readAuthority } from "./authority";
import { BindingTable, type Binding, type ListenerFactory } from "./bindings";
import type { ResolvedRelayConfig, VisitorLimits } from "./config";
import { ConnectEndpoint, type ConnectVerdict } from "./connectEndpoint";
import { ControlPlane, controlPrefix } from "./controlPlane";
import { endSocket } from "./endSocket";
import { FdPermits } from "./fdPermits";
import { joinSocket } from "./joinSocket";
import { RequestLog } from "./log/requestLog";
import type { VisitorPipeline } from "./pipeline";
import { createCounters, type RelayParts } from "./relayParts";
import { refusalBody } from "./refusal";
import { RelayRoutes } from "./relayRoutes";
import { RelaySessions } from "./relaySessions";
import { sendVisitorError, upgradeRefusal, visitorErrors } from "./visitorError";
import { VisitorConnections } from "./visitorConnections";
import { Visitors, type VisitorRoute } from "./visitors";
import { createWsUpgrader } from "./wsLink";

/** Decides who may connect, and who may use the control plane. */
export interface RelayGuard {
  admit(req: IncomingMessage): Promise<ConnectVerdict>;
}

/** What a relay does with visitors besides carrying them. */
export interface VisitorPolicy {
  /** What stands between visitors and a binding of this name; `undefined` where nothing does. */
  pipelineOf(name: string | undefined): VisitorPipeline | undefined;
  readonly log: RequestLog;
}

/** Lets all visitors in, and reports none of them. */
const openPolicy = (): VisitorPolicy => ({
  pipelineOf: () => undefined,
  log: new RequestLog({ secretHeaders: new Set(), isHeard: () => false, emit() {} }),
});

/** Where drivers connect. */
export const connectPath = "/api/v1/tunnel/connect";

/** The public side of reverse tunnels: one server for drivers and operators, and one listener per binding. */
export class Relay {
  readonly #config: ResolvedRelayConfig;
  readonly #guard: RelayGuard;
  readonly #parts: RelayParts;
  readonly #routes: RelayRoutes;
  readonly #visitors: Visitors;
  readonly #control: ControlPlane;
  #connect: ConnectEndpoint | undefined;
  #server: Server | undefined;
  readonly #detach: (() => void)[] = [];
  #draining: Promise<void> | undefined;

  constructor(config: ResolvedRelayConfig, guard: RelayGuard, { pipelineOf, log }: VisitorPolicy = openPolicy()) {
    this.#config = config;
    this.#guard = guard;
    const counters = createCounters();
    const permits = new FdPermits(config.fdPermits);
    const factory: ListenerFactory = {
      listen: (mode, host, port, bindingOf) =>
        mode === "expose" ? this.#listenForVisitors(host, port, bindingOf) : this.#listenForTcp(host, port, bindingOf),
      isReserved: (port) => port !== 0 && port === this.port,
      pipelineOf,
      publicUrlOf: ({ containerPort, name, session }) => {
        const facts = { port: containerPort, name, session: session.id };
        return config.patterns.map((pattern) => pattern.format(facts)).find((url) => url !== undefined) ?? null;
      },
    };
    const bindings = new BindingTable(config, factory, { permits });
    const sessions = new RelaySessions(config, bindings);
    const connections = new VisitorConnections({ permits, maxPerAddress: config.visitors.maxConnectionsPerIp });
    this.#parts = { config, bindings, sessions, counters, permits, connections };
    log.countInto(counters.requests);
    this.#routes = new RelayRoutes(config, bindings);
    this.#visitors = new Visitors(this.#parts, this.#routes, log);
    this.#control = new ControlPlane(this.#parts, log);
  }

  get parts(): RelayParts {
    return this.#parts;
  }

  get server(): Server | undefined {
    return this.#server;
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Listens, or attaches to the server of the config. */
  async start(): Promise<void> {
    this.#connect = new ConnectEndpoint({
      parts: this.#parts,
      upgrader: await createWsUpgrader(),
      admit: (req) => this.#guard.admit(req),
    });
    const { listen, server, tls } = this.#config;
    if (listen !== undefined) {
      this.#server = createVisitorServer(this.#config.visitors, tls);
      this.#serveAll(this.#server);
      await listening(this.#server, listen.port, listen.host);
    }
    if (server !== undefined) {
      this.#server ??= server;
      this.#attach(server);
    }
  }

  /** Takes no new drivers and visitors, tells drivers that they may come back, and lets visitors finish for a while. */
  drain(): Promise<void> {
    return (this.#draining ??= this.#drain());
  }

  /** Drains, and closes everything. */
  async close(): Promise<void> {
    await this.drain();
    const { sessions, bindings } = this.#parts;
    for (const detach of this.#detach.splice(0)) detach();
    const closed = bindings.all.map(({ listener }) => new Promise<void>((resolve) => listener.close(() => resolve())));
    sessions.endAll();
    const own = this.#config.listen === undefined ? undefined : this.#server;
    own?.closeAllConnections();
    await Promise.all([...closed, own && new Promise((resolve) => own.close(resolve))]);
  }

  async #drain(): Promise<void> {
    const { sessions, config } = this.#parts;
    this.#connect?.stop();
    sessions.shutDown(config.drainMs);
    const endsAt = performance.now() + config.drainMs;
    while (sessions.all.some(({ activeStreams }) => activeStreams > 0) && performance.now() < endsAt) {
      await sleep(drainPollMs, undefined, { ref: true });
    }
  }

  /** All of a server that is the relay's own. */
  #serveAll(server: Server): void {
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => void this.#serve(req, res);
    server
      .on("request", onRequest)
      // The service behind a tunnel decides whether a visitor may send its body: Node would say so at once.
      .on("checkContinue", onRequest)
      .on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => this.#serveUpgrade(req, socket, head));
  }

  /** The relay's own of another server: its other listeners do not see these, since two that reply fail each other. */
  #attach(server: Server): void {
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => void this.#serve(req, res);
    const detach = attach(server, {
      basePath: undefined,
      serves: (req) => this.#isOurs(req),
      onRequest,
      onExpect: onRequest,
      onUpgrade: (req, socket, head) => this.#serveUpgrade(req, socket, head),
      isClosed: () => false,
    });
    // Node emits these only where something listens; what is not the relay's goes on as if nothing did.
    const onExpect = (req: IncomingMessage, res: ServerResponse): void => {
      if (server.listenerCount("checkContinue") > 1) return;
      res.writeContinue();
      server.emit("request", req, res);
    };
    const onUpgrade = (req: IncomingMessage, socket: Duplex): void => {
      if (server.listenerCount("upgrade") > 1) return;
      socket.on("error", () => socket.destroy());
      endSocket(socket, upgradeRefusal(req, visitorErrors.notFound));
    };
    server.on("checkContinue", onExpect).on("upgrade", onUpgrade);
    this.#detach.push(() => {
      detach();
      server.off("checkContinue", onExpect).off("upgrade", onUpgrade);
    });
  }

  #isOurs(req: IncomingMessage): boolean {
    const authority = readAuthority(req);
    if (authority === undefined) return false;
    const { host, target } = authority;
    return target.startsWith(controlPrefix) || this.#routes.find(host, pathOf(target)) !== undefined;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const route = this.#route(req);
    if (route !== "own") return this.#visitors.serve(req, res, route);
    const { url = "/" } = req;
    if (!url.startsWith(`${controlPrefix}/`)) return void sendVisitorError(req, res, visitorErrors.notFound);
    const verdict = await this.#guard.admit(req);
    if ("status" in verdict && !(isHealth(url) && isLoopbackPeer(req))) {
      return sendJson(res, verdict.status, refusalBody(verdict.code));
    }
    if ("status" in verdict) return sendJson(res, 200, JSON.stringify({ status: "ok" }));
    this.#control.serve(req, res, url);
  }

  #serveUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = this.#route(req);
    if (route !== "own") return this.#visitors.serveUpgrade(req, socket, head, route);
    if (pathOf(req.url ?? "/") === connectPath) return void this.#connect?.accept(req, socket, head);
    socket.on("error", () => socket.destroy());
    endSocket(socket, upgradeRefusal(req, visitorErrors.notFound));
  }

  /** A host or path of a tunnel leads there, and never to the relay's own paths. */
  #route(req: IncomingMessage): VisitorRoute | "own" {
    const authority = readAuthority(req);
    if (authority === undefined) return visitorErrors.badRequest;
    const { host, target } = authority;
    const path = pathOf(target);
    const found = this.#routes.find(host, decoded(path));
    if (found === undefined) return "own";
    // Encoded slashes and dots must not change which tunnel a path leads to.
    if (this.#routes.find(host, path)?.prefix !== found.prefix) return visitorErrors.badRequest;
    if (found.binding === undefined) return visitorErrors.notFound;
    const rest = target.slice(found.prefix.length);
    return {
      binding: found.binding,
      host,
      // RFC 9112 section 3.2.4: `OPTIONS *` asks about the server, and has no path.
      target: rest.startsWith("/") || rest === "*" ? rest : `/${rest}`,
      prefix: found.prefix === "" ? undefined : found.prefix,
    };
  }

  async #listenForVisitors(host: string, port: number, bindingOf: () => Binding | undefined): Promise<Server> {
    const server = createVisitorServer(this.#config.visitors);
    server.on("connection", (socket) => void this.#visitors.connected(socket));
    server.on("request", (req, res) => this.#visitors.serve(req, res, this.#visitors.routeOnPort(req, bindingOf())));
    server.on("checkContinue", (req, res) => void server.emit("request", req, res));
    server.on("upgrade", (req, socket, head) =>
      this.#visitors.serveUpgrade(req, socket, head, this.#visitors.routeOnPort(req, bindingOf())),
    );
    return listening(server, port, host);
  }

  async #listenForTcp(host: string, port: number, bindingOf: () => Binding | undefined): Promise<TcpServer> {
    const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      if (this.#visitors.connected(socket) !== undefined) return void socket.destroy();
      const binding = bindingOf();
      const mux = binding?.session.serves(binding) === true ? binding.session.mux : undefined;
      const stream = mux?.openTcp({
        bindId: binding?.bindId ?? 0,
        peer: `${socket.remoteAddress}:${socket.remotePort}`,
        local: `${host}:${port}`,
      });
      if (stream === undefined) return void socket.destroy();
      joinSocket(socket, stream, { lost: ResetCode.CANCEL });
    });
    return listening(server, port, host);
  }
}

/** How often a relay that stops looks whether its visitors are served, in ms. */
const drainPollMs = 20;

/** Requests that contradict themselves are refused by the parser, which is strict. */
function createVisitorServer({ headMs, headBytes, idleMs }: VisitorLimits, tls?: ResolvedRelayConfig["tls"]): Server {
  const options = {
    headersTimeout: headMs,
    requestTimeout: 0,
    maxHeaderSize: headBytes,
    keepAliveTimeout: idleMs,
    // How often Node looks: by default less often than heads may take.
    connectionsCheckingInterval: Math.min(Math.max(headMs, 50), 1_000),
    insecureHTTPParser: false,
  };
  if (tls === undefined) return createServer(options);
  return createTlsServer({ ...options, cert: tls.cert, key: tls.key, handshakeTimeout: headMs });
}

function listening<S extends TcpServer>(server: S, port: number, host: string): Promise<S> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

const pathOf = (target: string): string => target.split(/[?#]/, 1)[0] as string;

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const isHealth = (url: string): boolean => pathOf(url) === `${controlPrefix}/health`;

const isLoopbackPeer = ({ socket }: IncomingMessage): boolean => isLoopbackAddress(socket.remoteAddress);

function sendJson(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
}
