import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ResetCode } from "../../relay/codes";
import { createAddressSet, type AddressSet } from "../server/addressSet";
import { isLoopbackHost, readAuthority } from "./authority";
import type { Binding } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import { Deadlines } from "./deadlines";
import { hasBody } from "./endAnswer";
import { endSocket } from "./endSocket";
import { forwardedHeaders } from "./headers";
import { exchange, type ExchangeRequest } from "./httpExchange";
import type { RequestLog } from "./log/requestLog";
import type { RequestRecord } from "./log/requestRecord";
import type { PipelineVerdict, VisitorPipeline } from "./pipeline";
import type { RelayRoutes } from "./relayRoutes";
import type { RequestTurn } from "./requestTurns";
import { RequestPace } from "./requestPace";
import { hasClearFraming, isPlainUpgrade } from "./requestFraming";
import { exchangeUpgrade } from "./upgradeExchange";
import { visitorAddress } from "../server/visitorAddress";
import type { VisitorConnections } from "./visitorConnections";
import { VisitorSockets } from "./visitorSockets";
import type { TunnelVisitor } from "./visitor";
import { sendVisitorAnswer, upgradeAnswer, type VisitorAnswer } from "./visitorAnswer";
import { sendVisitorError, upgradeRefusal, visitorErrors, type VisitorError } from "./visitorError";

/** Where a request of a visitor leads, or why it leads nowhere. */
export type VisitorRoute =
  | {
      readonly binding: Binding;
      readonly host: string;
      readonly target: string;
      readonly prefix: string | undefined;
    }
  | VisitorError;

type FoundRoute = Exclude<VisitorRoute, VisitorError>;

/** How the relay itself answers, on a response or on a bare connection. */
interface Reply {
  refuse(failure: VisitorError): void;
  answer(answer: VisitorAnswer): void;
  cut(): void;
}

/** One request of a visitor, and the connection it came over. */
interface Visit {
  readonly req: IncomingMessage;
  readonly connection: ServerResponse | Duplex;
  readonly record: RequestRecord;
  readonly reply: Reply;
  /** Sends the request through its session. */
  readonly send: (request: ExchangeRequest) => void;
}

/** A visit that leads to a binding. */
interface Arrival {
  readonly visit: Visit;
  readonly route: FoundRoute;
  /** Address of the visitor, behind trusted proxies. */
  readonly peer: string;
  readonly isSecure: boolean;
  /** What the application would receive. */
  readonly headers: readonly string[];
}

/** What visitors share with the rest of their relay. */
export interface VisitorsParts {
  readonly config: ResolvedRelayConfig;
  readonly connections: VisitorConnections;
}

/** Serves the visitors of published services. */
export class Visitors {
  readonly #deadlines: Deadlines;
  readonly #routes: RelayRoutes;
  readonly #log: RequestLog;
  readonly #trustedProxies: AddressSet;
  readonly #connections: VisitorConnections;
  readonly #pace: RequestPace;
  readonly #sockets: VisitorSockets;

  constructor({ config, connections }: VisitorsParts, routes: RelayRoutes, log: RequestLog) {
    this.#deadlines = new Deadlines(config.responseTimeoutMs);
    this.#connections = connections;
    this.#pace = new RequestPace(config.visitors.requestMs);
    this.#routes = routes;
    this.#log = log;
    this.#trustedProxies = createAddressSet("trustedProxies", config.trustedProxies);
    this.#sockets = new VisitorSockets(this.#trustedProxies);
  }

  /** A connection came in to a binding's own port. @returns what its requests are answered with instead */
  connected(socket: Socket): VisitorError | undefined {
    const { peer, isTrusted } = this.#sockets.of(socket);
    // Behind a proxy, visitors are told apart by their requests.
    return this.#connections.admit(socket, isTrusted ? undefined : peer);
  }

  /** Where a request leads that came to a binding's own port. */
  routeOnPort(req: IncomingMessage, binding: Binding | undefined): VisitorRoute {
    const authority = readAuthority(req);
    if (authority === undefined) return visitorErrors.badRequest;
    if (binding?.isPublished !== true) return visitorErrors.notFound;
    const { host, target } = authority;
    // A page of another site can have its own name lead to a port of this machine, but not one of these.
    if (!isLoopbackHost(host) && this.#routes.find(host, "/")?.binding !== binding) {
      return visitorErrors.hostNotAllowed;
    }
    return { binding, host, target, prefix: undefined };
  }

  serve(req: IncomingMessage, res: ServerResponse, route: VisitorRoute): void {
    const record = this.#log.begin(req);
    const { socket } = req;
    const { turns } = this.#sockets.of(socket);
    const turn: RequestTurn = {
      start: () => this.#serve(req, res, route, record),
      // Of a response that waits for another one, Node says nothing when its connection closes.
      drop: () => void res.emit("close"),
    };
    res.on("close", () => {
      record.end(res.writableFinished);
      turns.end(turn, socket.destroyed);
    });
    if (turns.take(turn)) return;
    record.failed(visitorErrors.rateLimited.code);
    record.end(false);
    socket.destroy();
  }

  #serve(req: IncomingMessage, res: ServerResponse, route: VisitorRoute, record: RequestRecord): void {
    const reply: Reply = {
      refuse: (failure) => record.answered(failure.status, sendVisitorError(req, res, failure), failure.code),
      answer: (answer) => record.answered(answer.status, sendVisitorAnswer(req, res, answer)),
      cut: () => void res.destroy(),
    };
    const refusal = this.#refusalOf(req, res);
    if (refusal !== undefined) {
      res.shouldKeepAlive = false;
      return reply.refuse(refusal);
    }
    if (!hasClearFraming(req)) {
      // What follows on this connection may be read in more than one way.
      res.shouldKeepAlive = false;
      return reply.refuse(visitorErrors.badRequest);
    }
    if (hasBody(req)) this.#pace.add(req, () => this.#timeOut(req, res, record, reply));
    const send = (request: ExchangeRequest): void => exchange(request, { req, res, refuse: reply.refuse });
    this.#open({ req, connection: res, record, reply, send }, route);
  }

  serveUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, route: VisitorRoute): void {
    const record = this.#log.begin(req);
    // At once: the end of what the visitor sends may be here before the gates have judged, and nothing fits behind it.
    if (head.length > 0) socket.unshift(head);
    // The parser has detached from the socket, and no longer handles its errors.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => record.end(true));
    const reply: Reply = {
      refuse(failure) {
        record.answered(failure.status, 0, failure.code);
        endSocket(socket, upgradeRefusal(req, failure));
      },
      answer(answer) {
        record.answered(answer.status, Buffer.byteLength(answer.body));
        endSocket(socket, upgradeAnswer(answer));
      },
      cut: () => void socket.destroy(),
    };
    const send = (request: ExchangeRequest): void => exchangeUpgrade(request, { req, socket, refuse: reply.refuse });
    // What it would switch still has to carry the answers to the requests before it.
    if (this.#sockets.of(req.socket).turns.isTaken) return reply.cut();
    const refusal = this.#refusalOf(req, socket) ?? (isPlainUpgrade(req) ? undefined : visitorErrors.badRequest);
    this.#open({ req, connection: socket, record, reply, send }, refusal ?? route);
  }

  /** Whether there are too many connections, or too many of this visitor. */
  #refusalOf(req: IncomingMessage, end: EventEmitter): VisitorError | undefined {
    const refusal = this.connected(req.socket);
    if (refusal !== undefined || !this.#sockets.of(req.socket).isTrusted) return refusal;
    return this.#connections.admitShared(end, visitorAddress(req, this.#trustedProxies));
  }

  #timeOut(req: IncomingMessage, res: ServerResponse, record: RequestRecord, reply: Reply): void {
    record.stream?.reset(ResetCode.TIMEOUT, "The request took too long to arrive.");
    record.failed("REQUEST_TIMEOUT");
    // The response may be over, and the connection wait for the rest of the request.
    if (res.headersSent) return void req.destroy();
    res.shouldKeepAlive = false;
    reply.refuse(visitorErrors.requestTimeout);
  }

  /** Leads a request to its session, through what stands between: gates and hooks may take their time. */
  #open(visit: Visit, route: VisitorRoute): void {
    const { record, reply, connection } = visit;
    if ("code" in route) return reply.refuse(route);
    const { pipeline } = route.binding;
    const arrival = this.#arrive(visit, route);
    if (pipeline === undefined) return this.#carry(arrival, unchanged(arrival));
    void this.#admit(arrival, pipeline).then((verdict) => {
      record.gate = verdict.gate;
      // The visitor left, or its request took too long to arrive meanwhile.
      if (connection.destroyed || record.hasBegun) return;
      if (verdict.kind === "go") return this.#carry(arrival, verdict);
      if (verdict.kind === "deny") return reply.refuse(verdict.failure);
      if (verdict.kind === "answer") return reply.answer(verdict.answer);
      record.failed("ABORTED");
      reply.cut();
    });
  }

  #arrive(visit: Visit, route: FoundRoute): Arrival {
    const { req, record } = visit;
    const { binding, target, prefix } = route;
    const { address, peer: near, localPort, isEncrypted, isTrusted } = this.#sockets.of(req.socket);
    const isSecure = isEncrypted || (isTrusted && req.headers["x-forwarded-proto"] === "https");
    const peer = isTrusted ? visitorAddress(req, this.#trustedProxies) : near;
    record.leadsTo(binding, target, peer);
    record.host = route.host;
    const headers = forwardedHeaders(req, {
      address,
      isSecure,
      port: localPort,
      requestId: record.id,
      prefix,
      isTrusted,
    });
    return { visit, route, peer, isSecure, headers };
  }

  #admit(arrival: Arrival, pipeline: VisitorPipeline): Promise<PipelineVerdict> {
    const { visit, route, peer, isSecure, headers } = arrival;
    const { req, connection, record } = visit;
    const isUpgrade = !("writeContinue" in connection);
    const visitor: TunnelVisitor = {
      requestId: record.id,
      method: req.method ?? "GET",
      host: route.host,
      target: route.target,
      headers: req.headers,
      peer,
      isSecure,
      isUpgrade,
      name: route.binding.name,
      containerPort: route.binding.containerPort,
    };
    const left = new AbortController();
    connection.once("close", () => left.abort(new Error("The visitor left.")));
    return pipeline.admit({
      req,
      visitor,
      prefix: route.prefix ?? "",
      headers,
      hasBody: !isUpgrade && hasBody(req),
      signal: left.signal,
      sendContinue() {
        const waits = /^100-continue$/i.test(req.headers.expect ?? "");
        if (waits && "writeContinue" in connection && !connection.headersSent) connection.writeContinue();
      },
    });
  }

  #carry(arrival: Arrival, verdict: Extract<PipelineVerdict, { kind: "go" }>): void {
    const { req, record, reply, send } = arrival.visit;
    const { binding } = arrival.route;
    const { session } = binding;
    // Asked only now: what stands between may have taken long enough for the driver to leave.
    const { mux } = session;
    if (!binding.isPublished || !session.serves(binding)) return reply.refuse(visitorErrors.notFound);
    if (mux === undefined) return reply.refuse(visitorErrors.orphaned);
    send({
      session: mux,
      bindId: binding.bindId,
      target: verdict.target,
      headers: verdict.headers,
      body: verdict.body,
      isBodyChanged: verdict.isBodyChanged,
      onResponse: verdict.onResponse,
      peer: this.#sockets.of(req.socket).from,
      record,
      deadlines: this.#deadlines,
    });
  }
}

const unchanged = ({ route, headers }: Arrival): Extract<PipelineVerdict, { kind: "go" }> => ({
  kind: "go",
  gate: undefined,
  target: route.target,
  headers,
  body: undefined,
  isBodyChanged: false,
  onResponse: undefined,
});
