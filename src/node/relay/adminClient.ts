import { TunnelError } from "../../errors/tunnelError";
import type { TunnelRequestRow } from "./log/requestEvent";

/** Configures `createTunnelAdminClient`. */
export interface TunnelAdminConfig {
  /** URL of the relay, as "https://relay.example.com". */
  readonly baseUrl: string;
  readonly auth?: { readonly token?: string | undefined; readonly header?: string | undefined } | undefined;
  /** Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Takes the place of the global `fetch`. */
  readonly fetchImpl?: typeof fetch | undefined;
}

/** A binding, as sessions list it. */
export interface TunnelBindingInfo {
  readonly kind: "http" | "tcp";
  readonly mode: "expose" | "pull";
  readonly containerPort: number;
  readonly bindId: number;
}

/** A relay's answer to `health.check`; without credentials only `status`. */
export interface TunnelHealth {
  readonly status: string;
  readonly pid?: number | undefined;
  readonly started?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly fds?: number | undefined;
  readonly memory?: { readonly rss: number } | undefined;
}

interface SessionFacts {
  readonly sessionId: string;
  readonly peerAddr: string;
  readonly protocol: string;
  readonly connectionsGranted: number;
  readonly activeStreams: number;
}

/** Everything that is published, by session. */
export interface TunnelOverview {
  readonly sessions: readonly (SessionFacts & {
    readonly exposeBindings: readonly TunnelBindingInfo[];
    readonly pullBindings: readonly TunnelBindingInfo[];
  })[];
  readonly orphanedSessions: number;
  readonly totalStreams: number;
  readonly totalBindings: number;
  /** Sockets and listeners that the relay may still open. */
  readonly fdPermitsAvailable: number;
}

/** Sessions that are connected. */
export interface TunnelSessions {
  readonly sessions: readonly (SessionFacts & {
    readonly maxStreams: number;
    readonly isV2: boolean;
    readonly bindings: readonly TunnelBindingInfo[];
    /** Connections that the session has now. */
    readonly links: number;
  })[];
}

/** Ports that are bound, of parked sessions as well. */
export interface TunnelBindings {
  readonly bindings: readonly {
    readonly port: number;
    readonly kind: "http" | "tcp";
    readonly mode: "expose" | "pull";
    /** "" for PULL. */
    readonly sessionId: string;
    /** 0 for PULL. */
    readonly bindId: number;
  }[];
}

/** Which requests are listed. */
export interface TunnelRequestQuery {
  /** How many, at most 500. Default 100. */
  readonly limit?: number | undefined;
  /** Only what ended after the request of this id. */
  readonly afterId?: string | undefined;
  readonly method?: string | undefined;
  readonly status?: number | undefined;
  /** Name of the binding. */
  readonly name?: string | undefined;
}

/** Requests of visitors, the newest first. */
export interface TunnelRequests {
  readonly requests: readonly TunnelRequestRow[];
}

interface Answer<T> {
  readonly data: T;
}

/**
 * What operators see and do. Every call rejects with a `TunnelError`, whose `details.statusCode` is the relay's; without
 * an answer it has none, and the code is `UNREACHABLE` or `REQUEST_TIMEOUT`.
 */
export interface TunnelAdminClient {
  readonly health: { check(): Promise<Answer<TunnelHealth>> };
  listTunnels(): Promise<Answer<TunnelOverview>>;
  listSessions(): Promise<Answer<TunnelSessions>>;
  listBindings(): Promise<Answer<TunnelBindings>>;
  /** Of the last 500 requests of visitors. */
  listRequests(query?: TunnelRequestQuery): Promise<Answer<TunnelRequests>>;
  /** Prometheus text 0.0.4. */
  getMetrics(): Promise<Answer<string>>;
  /** Ends a session. @param grace how long its visitors may take, in ms; at most 5,000 */
  killSession(
    sessionId: string,
    grace?: number | { readonly grace_ms?: number | undefined },
  ): Promise<Answer<{ readonly sessionId: string; readonly status: "closing" }>>;
}

/**
 * Makes a client for the control plane of a relay.
 *
 * @throws {TypeError} `baseUrl` is no http or https URL
 * @see readmes/REVERSE_TUNNELS.md
 */
export function createTunnelAdminClient({
  baseUrl,
  auth,
  timeoutMs = 30_000,
  fetchImpl,
}: TunnelAdminConfig): TunnelAdminClient {
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    throw new TypeError(`baseUrl must be an http or https URL, got "${String(baseUrl)}".`);
  }
  const prefix = `${baseUrl.replace(/\/$/, "")}/api/v1/tunnel`;
  const headers = auth?.token === undefined ? {} : { [auth.header ?? "x-runner-token"]: auth.token };

  async function ask<T>(path: string, method = "GET"): Promise<Answer<T>> {
    const { status, text } = await read(path, method);
    return { data: parse(text, status) as T };
  }

  async function read(path: string, method = "GET"): Promise<{ status: number; type: string; text: string }> {
    const { response, text } = await exchange(prefix + path, method);
    const { ok, status } = response;
    if (!ok) throw failureOf(status, text);
    return { status, type: response.headers.get("content-type") ?? "", text };
  }

  async function exchange(url: string, method: string): Promise<{ response: Response; text: string }> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await (fetchImpl ?? fetch)(url, { method, headers, redirect: "manual", signal });
      return { response, text: await readText(response) };
    } catch (error) {
      throw error instanceof TunnelError ? error : noAnswer(new URL(url).origin, error as Error);
    }
  }

  return {
    health: { check: () => ask("/health") },
    listTunnels: () => ask("/tunnels"),
    listSessions: () => ask("/sessions"),
    listBindings: () => ask("/bindings"),
    async getMetrics() {
      const { status, type, text } = await read("/metrics");
      if (!type.startsWith("text/plain")) throw unusable("is no plain text", status);
      return { data: text };
    },
    listRequests({ afterId, ...filter } = {}) {
      const given = Object.entries({ ...filter, after: afterId }).filter(([, value]) => value !== undefined);
      const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
      return ask(query === "" ? "/requests" : `/requests?${query}`);
    },
    killSession(sessionId, grace) {
      const graceMs = typeof grace === "object" ? grace.grace_ms : grace;
      const query = graceMs === undefined ? "" : `?grace_ms=${graceMs}`;
      return ask(`/sessions/${encodeURIComponent(sessionId)}${query}`, "DELETE");
    },
  };
}

/** Far above what a relay with all its sessions says, in bytes. */
const maxReplyBytes = 33_554_432;

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxReplyBytes) throw unusable("is larger than 32 MiB", response.status);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string, status: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // As below.
  }
  throw unusable("is no JSON object", status);
}

const unusable = (why: string, statusCode: number): TunnelError =>
  new TunnelError("INVALID_RESPONSE", `The answer ${why}: this is no relay.`, { statusCode });

function noAnswer(origin: string, error: Error): TunnelError {
  const isLate = error.name === "TimeoutError";
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  const reason = isLate ? "it did not answer in time" : (code ?? message);
  return new TunnelError(
    isLate ? "REQUEST_TIMEOUT" : "UNREACHABLE",
    `The relay at ${origin} cannot be reached: ${reason}.`,
  );
}

function failureOf(statusCode: number, text: string): TunnelError {
  let code = "HTTP_ERROR";
  let message = `The relay answered ${statusCode}.`;
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === "string") code = error.code;
    if (typeof error?.message === "string") message = error.message;
  } catch {
    // The status says enough.
  }
  return new TunnelError(code, message, { statusCode });
}
