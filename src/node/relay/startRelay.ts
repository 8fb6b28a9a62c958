import type { IncomingMessage, Server } from "node:http";
import { WireFailure } from "../../errors/wireErrors";
import type { Logger } from "../../globals/resources/logger";
import { getPlatform } from "../../platform/platform";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Store } from "../../runtime/run/store";
import { textBody, type WireRequest } from "../../tunnels/protocol/wire";
import { authenticateRun } from "../../tunnels/server/serveRun";
import { isLocalCaller } from "../server/localCaller";
import { isRepeated } from "../server/repeatedHeaders";
import { portOf, urlOf } from "../server/serverAddress";
import { createTokenMatcher } from "../server/tokenMatcher";
import { namesRelay } from "./authority";
import { resolveRelayConfig, type ResolvedRelayConfig } from "./config";
import type { ConnectVerdict } from "./connectEndpoint";
import { readDriverPolicy } from "./driverRights";
import { withOfferedToken } from "./offeredToken";
import { connectPath, Relay } from "./relay";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";
import { createVisitorPolicy } from "./visitorPolicy";

/** A session, as operators see it. */
export interface TunnelSessionInfo {
  readonly sessionId: string;
  readonly peerAddr: string;
  readonly activeStreams: number;
  readonly isAttached: boolean;
}

/** The value of `tunnelRelay`. */
export interface TunnelRelay extends AsyncDisposable {
  /** Where drivers and operators reach it, for programs of this machine. */
  readonly url: string;
  readonly port: number;
  readonly connectPath: string;
  readonly server: Server | undefined;
  sessions(): readonly TunnelSessionInfo[];
  /** Cuts the links of a session, which its driver may resume. @returns whether there was one */
  drop(sessionId: string): boolean;
  /** Ends a session. @returns whether there was one */
  kill(sessionId: string, options?: { readonly graceMs?: number | undefined }): boolean;
  close(): Promise<void>;
}

/** What of its run a relay works with. */
export interface RelayDependencies {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
}

/** How long validators of one request may take, in ms. */
const authMs = 10_000;

/** Runs a relay, which the end of its run drains and closes. */
export async function startRelay(config: TunnelRelayConfig | undefined, run: RelayDependencies): Promise<TunnelRelay> {
  const { store, logger } = run;
  const platform = getPlatform();
  const resolved = resolveRelayConfig(config, {
    HOODY_TUNNEL_PUBLIC_URL_PATTERN: platform.getEnv("HOODY_TUNNEL_PUBLIC_URL_PATTERN"),
  });
  const relay = new Relay(
    resolved,
    { admit: createGuard(resolved, run) },
    await createVisitorPolicy(config, resolved, run),
  );
  await relay.start();
  const close = (): Promise<void> => (closing ??= relay.close());
  let closing: Promise<void> | undefined;
  store.addDrain({ longestMs: resolved.drainMs, drain: () => relay.drain() });
  const { server = null } = relay;
  void logger.info("node.relay.listen", { data: { port: portOf(server), connectPath } });
  return {
    get url() {
      return urlOf(server, "/");
    },
    get port() {
      return portOf(server);
    },
    connectPath,
    server: relay.server,
    sessions: () =>
      relay.parts.sessions.all.map(({ id, owner, activeStreams, isAttached }) => ({
        sessionId: id,
        peerAddr: owner.peerAddr,
        activeStreams,
        isAttached,
      })),
    drop(sessionId) {
      const session = relay.parts.sessions.get(sessionId);
      session?.cutLinks();
      return session !== undefined;
    },
    kill(sessionId, { graceMs = 50 } = {}) {
      const session = relay.parts.sessions.get(sessionId);
      session?.kill(graceMs);
      return session !== undefined;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Credentials as for an exposure; pages of other origins are kept out before. */
function createGuard(
  config: ResolvedRelayConfig,
  run: RelayDependencies,
): (req: IncomingMessage) => Promise<ConnectVerdict> {
  const { tokens, tokenHeader, allowAnonymous, allowedOrigins, hosts, patterns } = config;
  const isOwnHost = (host: string): boolean => hosts.has(host) || patterns.some((pattern) => pattern.isOwnHost(host));
  const findTokenHolder = tokens && createTokenMatcher(tokens);
  const auth = { header: tokenHeader, findTokenHolder, tokenOption: "auth.token", timeoutMs: authMs, allowAnonymous };
  const authenticate = authenticateRun(run, { name: "relay", auth });
  return async (req) => {
    const { origin } = req.headers;
    if (origin !== undefined && !allowedOrigins.has(origin)) return { status: 403, code: "ORIGIN_NOT_ALLOWED" };
    if (!namesRelay(req, isOwnHost)) return { status: 403, code: "HOST_NOT_ALLOWED" };
    try {
      const { name, policy } = await authenticate(requestOf(req, tokenHeader, allowedOrigins));
      const rights = readDriverPolicy(policy);
      if ("invalid" in rights) {
        void run.logger.warn("node.relay.policy: a validator returned a policy that cannot be meant.", {
          data: { name, field: rights.invalid },
        });
        return { status: 403, code: "POLICY" };
      }
      return rights.isExpired() ? { status: 403, code: "AUTH_EXPIRED" } : { principal: name, rights };
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      return { status: error.status, code: error.code };
    }
  };
}

/** As much of a call as authentication looks at. */
function requestOf(req: IncomingMessage, tokenHeader: string, allowedOrigins: ReadonlySet<string>): WireRequest {
  const { method = "GET", url = "/" } = req;
  const headers = withOfferedToken(req.headers, tokenHeader);
  return {
    target: { kind: "discovery", id: "" },
    headers,
    body: textBody(""),
    signal: undefined,
    edge: {
      describe: () => ({ headers, method, url, path: url.split("?", 1)[0] as string }),
      isLocal: () => isLocalCaller(req, (origin) => allowedOrigins.has(origin)),
      failureAddress: () => undefined,
      isRepeated: (name) => isRepeated(req, name),
      enter: (contexts) => contexts ?? new Map(),
      isShutDown: false,
      isReplyTaken: () => false,
      abandonReply() {},
    },
  };
}
