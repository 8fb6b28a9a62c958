import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isLoopbackHost, readAuthority } from "./authority";
import type { Binding } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import { forwardedHeaders } from "./headers";
import { exchange, type VisitorRequest } from "./httpExchange";
import type { RelayRoutes } from "./relayRoutes";
import { hasClearFraming, isPlainUpgrade } from "./requestFraming";
import { exchangeUpgrade } from "./upgradeExchange";
import { sendVisitorError, upgradeRefusal, visitorErrors, type VisitorError } from "./visitorError";

/** Where a request of a visitor leads, or why it leads nowhere. */
export type VisitorRoute =
  { readonly binding: Binding; readonly target: string; readonly prefix: string | undefined } | VisitorError;

/** Serves the visitors of published services. */
export class Visitors {
  readonly #config: ResolvedRelayConfig;
  readonly #routes: RelayRoutes;

  constructor(config: ResolvedRelayConfig, routes: RelayRoutes) {
    this.#config = config;
    this.#routes = routes;
  }

  /** Where a request leads that came to a binding's own port. */
  routeOnPort(req: IncomingMessage, binding: Binding | undefined): VisitorRoute {
    const authority = readAuthority(req);
    if (authority === undefined) return visitorErrors.badRequest;
    if (binding?.isPublished !== true) return visitorErrors.notFound;
    // A page of another site can have its own name lead to a port of this machine, but not one of these.
    if (!isLoopbackHost(authority.host) && this.#routes.find(authority.host, "/")?.binding !== binding) {
      return visitorErrors.hostNotAllowed;
    }
    return { binding, target: authority.target, prefix: undefined };
  }

  serve(req: IncomingMessage, res: ServerResponse, route: VisitorRoute): void {
    if (!hasClearFraming(req)) {
      // What follows on this connection may be read in more than one way.
      res.shouldKeepAlive = false;
      return sendVisitorError(req, res, visitorErrors.badRequest);
    }
    const request = this.#prepare(req, route);
    if ("code" in request) return sendVisitorError(req, res, request);
    const { session } = request.binding;
    const stream = exchange({ ...request, req, res });
    res.once("close", () => session.touch());
    void stream;
  }

  serveUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, route: VisitorRoute): void {
    // The parser has detached from the socket, and no longer handles its errors.
    socket.on("error", () => socket.destroy());
    const request = isPlainUpgrade(req) ? this.#prepare(req, route) : visitorErrors.badRequest;
    if ("code" in request) return void socket.end(upgradeRefusal(req, request));
    exchangeUpgrade({ ...request, req, socket, head });
    const { session } = request.binding;
    socket.once("close", () => session.touch());
  }

  #prepare(
    req: IncomingMessage,
    route: VisitorRoute,
  ): (Omit<VisitorRequest, "req" | "res"> & { readonly binding: Binding }) | VisitorError {
    if ("code" in route) return route;
    const { binding, target, prefix } = route;
    if (!binding.session.serves(binding)) return visitorErrors.notFound;
    const { mux } = binding.session;
    if (mux === undefined) return visitorErrors.orphaned;
    const {
      remoteAddress = "",
      remotePort = 0,
      localPort = 0,
      encrypted = false,
    } = req.socket as Socket & {
      encrypted?: boolean;
    };
    const requestId = `req_${randomUUID()}`;
    const isTrusted = this.#config.trustedProxies.has(remoteAddress);
    const headers = forwardedHeaders(req, {
      address: remoteAddress,
      isSecure: encrypted || (isTrusted && req.headers["x-forwarded-proto"] === "https"),
      port: localPort,
      requestId,
      prefix,
      isTrusted,
    });
    return {
      binding,
      session: mux,
      bindId: binding.bindId,
      target,
      headers,
      peer: `${remoteAddress}:${remotePort}`,
      requestId,
      responseTimeoutMs: this.#config.responseTimeoutMs,
    };
  }
}
