import { describeGiven } from "../../lib/describeValue";
import { Drain, abortedCallsMs, longestDrainMs, type DrainPhase, type DrainTimes } from "../../lib/drain";
import { settlesWithin } from "../../lib/timers";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Store } from "../../runtime/run/store";
import type { SerializerLike } from "../../serializer/codec";
import type { FetchCall, FetchExposureInfo } from "../../tunnels/fetch/fetchCall";
import {
  resolveFetchConfig,
  type FetchExposureConfig,
  type ResolvedFetchConfig,
} from "../../tunnels/fetch/fetchConfig";
import { createFetchHandler, type FetchHandler } from "../../tunnels/fetch/fetchHandler";
import { openFetchFile } from "../../tunnels/fetch/form/fetchFile";
import { createCors } from "../../tunnels/http/cors";
import { createEdgeReports } from "../../tunnels/http/edgeReports";
import { createHeldTokens } from "../../tunnels/http/heldTokens";
import { httpServeOptions, unusableCors } from "../../tunnels/http/serveOptions";
import { serveRun } from "../../tunnels/server/serveRun";
import type { Metrics } from "../metrics/metrics";
import type { Logger } from "../resources/logger";

/** The value of `fetchExposure`: functions, which need no `this`. */
export interface FetchExposureHandlers {
  /** Replies to a request; 404 outside the base path. Never rejects. @throws {TypeError} it is no `Request` */
  readonly fetch: (request: Request, info?: FetchExposureInfo) => Promise<Response>;
  /** As `fetch`, but `undefined` outside the base path, for servers that have other routes. */
  readonly handle: (request: Request, info?: FetchExposureInfo) => Promise<Response> | undefined;
  /** Without a slash at the end. */
  readonly basePath: string;
  /** "draining" from the first call of `close()` until it resolves. */
  readonly phase: DrainPhase;
  /** Takes no further calls, which get 503 `SERVER_CLOSING`, and waits for those in flight; see `http.drain`. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** What a fetch edge depends on, as values. */
export interface FetchExposureDeps {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
  readonly serializer: SerializerLike;
  /** Where `http.metrics` has a path. */
  readonly metrics?: Metrics | undefined;
}

/** Starts a fetch edge. Loaded with the first one of a program: most of what imports the entry serves no calls, or not by fetch. */
export async function startFetchExposure(
  config: FetchExposureConfig | undefined,
  dependencies: FetchExposureDeps,
): Promise<FetchExposureHandlers> {
  if (typeof (globalThis as { EdgeRuntime?: unknown }).EdgeRuntime === "string") throw new Error(edgeRuntimeOfNext);
  const resolved = resolveFetchConfig(config);
  const { basePath } = resolved;
  const drain = new Drain();
  const handler = await createEdge(resolved, dependencies, drain);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= drainCalls(drain, resolved.drain));
  dependencies.store.addDrain({ longestMs: longestDrainMs(resolved.drain), drain: close });
  return {
    fetch: (request, info) => handler.fetch(requestOf(request, "fetch"), info ?? {}),
    handle: (request, info) => handler.handle(requestOf(request, "handle"), info ?? {}),
    basePath,
    get phase() {
      return drain.phase;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * What frameworks hand to their routes holds the request, and is none.
 *
 * @throws {TypeError} it has not what is read of a `Request`
 */
function requestOf(given: Request, method: "fetch" | "handle"): Request {
  const { url, headers } = (given ?? {}) as { readonly url?: unknown; readonly headers?: Partial<Headers> };
  if (typeof url === "string" && typeof headers?.get === "function") return given;
  throw new TypeError(
    `${method}(request) of fetchExposure takes a Request, got ${describeGiven(given)}.\n` +
      "  fix: hand over the request of web standards, which is c.req.raw in Hono; for requests of node:http there is nodeExposure.",
  );
}

const edgeRuntimeOfNext =
  "fetchExposure does not serve in the edge runtime of Next, which is deprecated there and ends bodies silently at 10 MB.\n" +
  '  fix: use the runtime of Node, with export const runtime = "nodejs" in the route.';

/** Joins the fetch edge to a run. */
async function createEdge(config: ResolvedFetchConfig, run: FetchExposureDeps, drain: Drain): Promise<FetchHandler> {
  const { auth } = config;
  const { logger } = run;
  const cors = createCors(config.cors);
  if (cors.isUnusable) void logger.warn(unusableCors);
  // No request counts as one of this machine.
  const strict = { ...config, auth: { ...auth, allowAnonymous: auth.allowAnonymous ?? false } };
  const served = serveRun(run, {
    ...httpServeOptions(strict, cors, auth.tokens && (await createHeldTokens(auth.tokens))),
    openFile: openFetchFile,
  });
  const reports = createEdgeReports("fetch", logger);
  return createFetchHandler({
    ...served,
    config,
    cors,
    drain,
    ...reports,
    requests: run.store.tracing?.requests,
    metrics: run.metrics,
    heldBytes: run.store.tracing?.heldBytes,
    keepWorking: (work, call) => keepWorking(work, call, drain, reports.onWorkFailed),
  });
}

/** Holds the drain, and the host where it offers that, until work that goes on after a reply has settled. */
function keepWorking(
  work: PromiseLike<unknown>,
  { info, requestId }: FetchCall,
  drain: Drain,
  onFailed: (error: unknown, requestId: string) => void,
): void {
  drain.enter();
  const settled = Promise.resolve(work)
    .catch((error: unknown) => onFailed(error, requestId))
    .finally(() => drain.leave());
  if (typeof info.waitUntil === "function") info.waitUntil(settled);
}

/** Ends an edge: no further calls, those in flight may end for `graceMs`, then their signals abort. */
async function drainCalls(drain: Drain, { delayMs, graceMs }: DrainTimes): Promise<void> {
  drain.announce();
  if (delayMs > 0) await settlesWithin(new Promise(() => {}), delayMs);
  drain.stopAdmitting();
  if (!(await settlesWithin(drain.whenIdle(), graceMs))) {
    drain.abort();
    await settlesWithin(drain.whenIdle(), abortedCallsMs);
  }
  drain.close();
}
