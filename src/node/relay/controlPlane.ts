import { readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Binding } from "./bindings";
import { readRequestFilter } from "./log/requestFilter";
import type { RequestLog } from "./log/requestLog";
import { renderMetrics } from "./metrics";
import type { RelayParts } from "./relayParts";
import type { RelaySession } from "./relaySession";

/** Below this, a relay's own paths begin. */
export const controlPrefix = "/api/v1/tunnel";

/** A reply of the control plane. */
interface ControlReply {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string | undefined;
  /** Methods that would have been answered. */
  readonly allow?: string | undefined;
}

const failure = (status: number, code: string, message: string): ControlReply => ({
  status,
  body: { error: { code, message } },
});

const methodNotAllowed = (allow: string): ControlReply => ({
  ...failure(405, "METHOD_NOT_ALLOWED", `Only ${allow}.`),
  allow,
});

/** What operators see and do. Who may is decided before. */
export class ControlPlane {
  readonly #parts: RelayParts;
  readonly #log: RequestLog;
  readonly #started = new Date().toISOString();

  constructor(parts: RelayParts, log: RequestLog) {
    this.#parts = parts;
    this.#log = log;
  }

  serve(req: IncomingMessage, res: ServerResponse, path: string): void {
    const { status, body, contentType = "application/json", allow } = this.#reply(req, path);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    res.writeHead(status, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...(allow !== undefined && { allow }),
    });
    res.end(req.method === "HEAD" ? undefined : text);
  }

  #reply(req: IncomingMessage, path: string): ControlReply {
    const [pathname = "", query = ""] = path.slice(controlPrefix.length).split("?");
    const session = /^\/sessions\/([^/]+)$/.exec(pathname)?.[1];
    if (session !== undefined) {
      return req.method === "DELETE" ? this.#kill(session, query) : methodNotAllowed("DELETE");
    }
    if (pathname === "/connect") return failure(400, "BAD_REQUEST", "Drivers connect here by WebSocket.");
    const read = Object.hasOwn(this.#readers, pathname) ? this.#readers[pathname] : undefined;
    if (read === undefined) return failure(404, "NOT_FOUND", "There is nothing here.");
    if (req.method !== "GET" && req.method !== "HEAD") return methodNotAllowed("GET, HEAD");
    return read(query);
  }

  readonly #readers: Readonly<Record<string, (query: string) => ControlReply>> = {
    "/health": () => ({ status: 200, body: this.#health() }),
    "/metrics": () => ({ status: 200, body: renderMetrics(this.#parts), contentType: "text/plain; version=0.0.4" }),
    "/tunnels": () => ({ status: 200, body: this.#overview() }),
    "/sessions": () => ({ status: 200, body: { sessions: this.#attached.map(describeSession) } }),
    "/requests": (query) => this.#requests(query),
    "/bindings": () => ({ status: 200, body: { bindings: this.#parts.bindings.all.map(describeRow) } }),
  };

  get #attached(): readonly RelaySession[] {
    return this.#parts.sessions.all.filter(({ isAttached }) => isAttached);
  }

  #health(): object {
    return {
      status: "ok",
      pid: process.pid,
      started: this.#started,
      userAgent: `runner-tunnel/1.0 node/${process.versions.node}`,
      ...openDescriptors(),
      memory: { rss: process.memoryUsage.rss() },
    };
  }

  #overview(): object {
    const { sessions, bindings, permits } = this.#parts;
    return {
      sessions: this.#attached.map((session) => {
        const own = [...session.bindings.values()];
        return {
          sessionId: session.id,
          peerAddr: session.owner.peerAddr,
          protocol: session.owner.protocol,
          connectionsGranted: session.openedTotal,
          activeStreams: session.activeStreams,
          exposeBindings: own.filter(({ mode }) => mode === "expose").map(describeBinding),
          pullBindings: own.filter(({ mode }) => mode === "pull").map(describeBinding),
        };
      }),
      orphanedSessions: sessions.all.length - this.#attached.length,
      totalStreams: sessions.all.reduce((sum, { activeStreams }) => sum + activeStreams, 0),
      totalBindings: bindings.all.length,
      fdPermitsAvailable: permits.available,
    };
  }

  #requests(query: string): ControlReply {
    const filter = readRequestFilter(new URLSearchParams(query));
    return typeof filter === "string"
      ? failure(400, "BAD_REQUEST", filter)
      : { status: 200, body: { requests: this.#log.list(filter) } };
  }

  #kill(id: string, query: string): ControlReply {
    const [grace = "50", ...others] = new URLSearchParams(query).getAll("grace_ms");
    const graceMs = Number(grace);
    if (!/^\d{1,4}$/.test(grace) || graceMs > 5_000 || others.length > 0) {
      return failure(400, "BAD_REQUEST", "grace_ms must be a whole number from 0 to 5000.");
    }
    const session = this.#parts.sessions.get(id);
    if (session === undefined) return failure(404, "NOT_FOUND", "unknown session");
    session.kill(graceMs);
    return { status: 202, body: { sessionId: id, status: "closing" } };
  }
}

const describeBinding = ({ kind, mode, containerPort, bindId }: Binding): object => ({
  kind,
  mode,
  containerPort,
  bindId,
});

/** Rows of PULL bindings name no session, as the protocol has them. */
const describeRow = ({ containerPort, kind, mode, session, bindId }: Binding): object =>
  mode === "expose"
    ? { port: containerPort, kind, mode, sessionId: session.id, bindId }
    : { port: containerPort, kind, mode, sessionId: "", bindId: 0 };

const describeSession = (session: RelaySession): object => ({
  sessionId: session.id,
  peerAddr: session.owner.peerAddr,
  protocol: session.owner.protocol,
  connectionsGranted: session.openedTotal,
  activeStreams: session.activeStreams,
  maxStreams: session.maxStreams,
  isV2: session.owner.protocol === "hoody-tunnel.v2",
  bindings: [...session.bindings.values()].map(describeBinding),
  links: session.mux?.links.length ?? 0,
});

function openDescriptors(): { readonly fds?: number } {
  try {
    return { fds: readdirSync("/proc/self/fd").length };
  } catch {
    return {};
  }
}
