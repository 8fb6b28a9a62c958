import type { ContextSelection } from "../routing/contextSelection";
import { discoverContract, type ContractDetail } from "../server/discoverContract";
import type { ServeRunOptions, ServerAuth } from "../server/serveRun";
import type { ResolvedAuth } from "./config/auth";
import type { ResolvedCallLimits } from "./config/callLimits";
import { cookieAuth } from "./cookieAuth";
import type { Cors } from "./cors";
import { FailureLimit } from "./failureLimit";

/** What calls of an HTTP edge come in by: the name of the server, and what it speaks. */
export const exposureOrigin = "exposure:http";

/** What of their config every HTTP edge has. */
export interface HttpEdgeConfig {
  readonly auth: ResolvedAuth;
  readonly contexts: ContextSelection;
  readonly open: boolean;
  readonly contract: ContractDetail | undefined;
  readonly limits: Pick<
    ResolvedCallLimits,
    "jsonBytes" | "authMs" | "maxDeadlineMs" | "streams" | "batch" | "subscriptions"
  >;
}

/**
 * What an HTTP edge tells the pipeline of calls, but for how it opens files and streams.
 *
 * @param findTokenHolder compares tokens with those of `config.auth`, as its runtime can
 */
export function httpServeOptions(
  { auth, contexts, open, contract, limits }: HttpEdgeConfig,
  cors: Cors,
  findTokenHolder: ServerAuth["findTokenHolder"],
): Omit<ServeRunOptions, "openFile" | "openStream"> {
  return {
    name: "exposure",
    transport: "http",
    auth: {
      header: auth.header,
      findTokenHolder,
      holders: auth.tokens,
      tokenOption: "http.auth.token",
      timeoutMs: limits.authMs,
      allowAnonymous: auth.allowAnonymous,
      ...cookieAuth(auth.cookie, cors.admits),
      failures: auth.maxFailures === 0 ? undefined : new FailureLimit({ max: auth.maxFailures }),
      principalContext: auth.principal,
      isPrincipalRequired: auth.required,
    },
    contexts,
    open,
    discover: contract && discoverContract(contract),
    jsonBytes: limits.jsonBytes,
    maxDeadlineMs: limits.maxDeadlineMs,
    streams: limits.streams,
    batch: limits.batch,
    subscriptions: limits.subscriptions,
  };
}

/** What to say of a CORS policy that no browser accepts. */
export const unusableCors =
  "http.cors.credentials without http.cors.origin: browsers will refuse every reply. Set an origin.";
