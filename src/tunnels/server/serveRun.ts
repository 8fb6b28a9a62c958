import type { IAsyncContext } from "../../define/asyncContext";
import { isRunnerError, type IErrorHelper, type RunnerError } from "../../errors/defineError";
import { withFrameworkErrors } from "../../errors/knownErrors";
import { normalizeError } from "../../errors/normaliseThrown";
import { unauthorized, type WireFailure } from "../../errors/wireErrors";
import { readyEventId } from "../../define/reservedIds";
import { callFacts } from "../../lib/callFacts";
import { createRepeats, cutForLog, type Repeats } from "../../lib/repeats";
import type { MaybePromise } from "../../lib/typeLevel";
import { getPlatform } from "../../platform/platform";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Logger } from "../../runtime/logger";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { Store } from "../../runtime/run/store";
import type { SerializerLike } from "../../serializer/codec";
import { batchLimits } from "../protocol/batch";
import { readTrace } from "../protocol/traceHeaders";
import { deadlineHeader, requestIdHeader } from "../protocol/headers";
import type { Transport, WireRequest } from "../protocol/wire";
import { selectedContexts, type ContextSelection } from "../routing/contextSelection";
import { authValidator } from "../routing/tags";
import { createAllowListSource, type AllowList } from "./allowList";
import {
  createAuthenticate,
  guardRequests,
  type AuthenticationParts,
  type Authenticate,
  type Caller,
  type FailureCount,
} from "./authenticate";
import { createRespond, handlerOf, type Respond } from "./createHandler";
import type { HandlerParts } from "./handlerParts";
import { createNarrow } from "./narrow";
import { authenticatePrincipal } from "./principal";
import { idempotencyOf } from "./runOnce";
import { createContextReader } from "./readContexts";
import { unservedIds, type TokenHolder } from "./unservedIds";

/** The parts of a run that serving it takes. */
export interface ServedRun {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
  readonly serializer: SerializerLike;
}

/** Who may call a server. */
export interface ServerAuth {
  /** Header that carries the token, in lower case. */
  readonly header: string;
  /** Whose token a header value is; absent when no token is configured. Must not leak by its timing. */
  readonly findTokenHolder: ((presented: string) => Caller | undefined) | undefined;
  /** The configured tokens, by what they say of their holders: what they list is compared with what is served. Default: none. */
  readonly holders?: readonly TokenHolder[] | undefined;
  /** A token that comes by another way than the header, which comes first. Default: none does. */
  readonly readToken?: AuthenticationParts["readToken"];
  /** Says why a request is refused before anything of its caller is looked at. Default: none is. */
  readonly refusalOf?: ((request: WireRequest) => MaybePromise<Error | undefined>) | undefined;
  /** The option that sets a token, as messages name it. */
  readonly tokenOption: string;
  /** How long the validators of one request may take, in ms. */
  readonly timeoutMs: number;
  /** Without tokens and validators: `true` serves every caller, `false` none. Default: local ones, outside production. */
  readonly allowAnonymous: boolean | undefined;
  /** Counts refusals by address. Default: no count. */
  readonly failures?: FailureCount | undefined;
  /** Provided with the principal of the caller, and by no caller. */
  readonly principalContext?: IAsyncContext | undefined;
  /** Whether callers without a principal are refused. Default false. */
  readonly isPrincipalRequired?: boolean | undefined;
}

/** What differs between servers: HTTP, fetch, a relay, a broker. */
export interface ServeRunOptions extends Pick<
  HandlerParts,
  "jsonBytes" | "openFile" | "openStream" | "maxDeadlineMs" | "streams" | "batch" | "subscriptions" | "discover"
> {
  /** Begins the names of what is logged, as "exposure". */
  readonly name: string;
  /** What the server speaks: tunnels that name another transport do not count. */
  readonly transport: string;
  readonly auth: ServerAuth;
  /** Async contexts that callers may set, where the tunnel says so too. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  /** Without a server tunnel, callers reach everything that is registered. */
  readonly open: boolean;
  /** What callers reach, once the run is ready. Default: what server tunnels list. */
  readonly reach?: (() => AllowList) | undefined;
}

/** A run that can be called. */
export interface RunServer {
  readonly handler: Transport;
  /** What `handler` does, by callbacks. */
  readonly respond: Respond;
  readonly allowList: () => AllowList;
  /**
   * Rejects unless a token or a validator knows who sent a request, hence always where neither exists, even if every caller is
   * served.
   */
  readonly assertAuthenticated: (request: WireRequest) => Promise<void>;
  /** Those that cross to callers with their data, by id. */
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Whether several calls may come in one request. */
  readonly servesBatches: boolean;
  /** What the caller of a request may reach. Rejects with a `WireFailure` where a discovery by it is refused. */
  readonly reachableBy: (request: WireRequest) => Promise<AllowList>;
}

/**
 * Joins the pipeline of calls to what a run has registered: allow-list, validators, contexts, errors and reports.
 *
 * Until the run is ready, the tunnels that are initialised so far decide what can be called; from then on it is fixed.
 */
export function serveRun(run: ServedRun, options: ServeRunOptions): RunServer {
  const { store, eventManager, logger, serializer } = run;
  const { name, transport, open } = options;
  const repeats = createRepeats({ atOnce: 10, periodMs: 10_000 });
  const onSkipped = (id: string, error: unknown): void =>
    void logger.warn("[runner] Tunnel allow-list selector failed; item skipped.", { data: { id }, error });
  const { reach, auth } = options;
  const allowList = reach
    ? { current: reach, freeze: reach }
    : createAllowListSource(store, { transport, open, onSkipped });
  const ready = store.events.get(readyEventId)?.event;
  if (ready !== undefined) {
    eventManager.addListener(
      ready,
      () => {
        const served = allowList.freeze();
        if (!served.enabled && !served.open) return void logger.warn(notEnabledAdvice(transport));
        for (const holder of auth.holders ?? []) {
          const ids = unservedIds(holder, served);
          if (ids.length > 0)
            void logger.warn(`${auth.tokenOption}s ${unservedAdvice}`, { data: { caller: holder.name, ids } });
        }
      },
      // Before anything of the application learns that the run is ready, and may call.
      { order: Number.MIN_SAFE_INTEGER },
    );
  }
  const accepted = selectedContexts(options.contexts);
  const { principalContext, isPrincipalRequired = false } = auth;
  const authenticate = authenticatePrincipal(guardRequests(authenticateRun(run, options, repeats), auth.refusalOf), {
    context: principalContext,
    isRequired: isPrincipalRequired,
    failures: options.auth.failures,
  });
  const narrow = createNarrow(onSkipped);
  const errors = withFrameworkErrors(store.errors);
  const respond = createRespond({
    jsonBytes: options.jsonBytes,
    openFile: options.openFile,
    openStream: options.openStream,
    maxDeadlineMs: options.maxDeadlineMs,
    discover: options.discover,
    streams: options.streams,
    batch: options.batch,
    tokenHeader: options.auth.header,
    subscriptions: options.subscriptions,
    onMalformedDeadline: ({ headers, target }) =>
      void logger.debug(`${name}.deadline.ignored: the header is no number of milliseconds.`, {
        data: { requestId: headers[requestIdHeader], id: cutForLog(target.id), header: deadlineHeader },
      }),
    authenticate,
    principalContext,
    allowList: allowList.current,
    idempotency: () => idempotencyOf(store),
    narrow,
    readContexts: createContextReader(store.asyncContexts, serializer, ({ id }) => {
      return id !== principalContext?.id && (accepted === "all" || accepted.has(id));
    }),
    eventManager,
    origin: `${name}:${transport}`,
    serializer,
    errors,
    report: (error, call, phase, caller) =>
      void logger.error(`${name}.${call.target.kind}.error`, {
        error,
        data: {
          error: messageOf(error),
          requestId: call.headers[requestIdHeader],
          id: cutForLog(call.target.id),
          phase,
          ...(caller !== undefined && { caller: cutForLog(caller.name) }),
          ...(isUnregistered(error, store.errors) && {
            hint: `Callers are not told of "${error.id}", since it is not registered: add its helper to .register([...]).`,
          }),
        },
        ...callFacts.of?.({
          requestId: call.headers[requestIdHeader]?.toString(),
          trace: call.observed === undefined ? readTrace(call.headers) : call.observed.trace,
          caller: caller && { name: cutForLog(caller.name) },
        }),
      }),
    onRefused: createRefusalReport(name, logger, repeats),
  });
  const hasValidators = validatorsOf(store).length > 0;
  const canAuthenticate = options.auth.findTokenHolder !== undefined || hasValidators;
  const { lines, isStated = false } = options.batch ?? batchLimits;
  // A validator that decides by the path of a request would be asked for that of the batch alone.
  const servesBatches = lines > 0 && (isStated || !hasValidators);
  async function assertAuthenticated(request: WireRequest): Promise<void> {
    if (!canAuthenticate) throw unauthorized();
    await authenticate(request);
  }
  const reachableBy = async (request: WireRequest): Promise<AllowList> =>
    narrow(allowList.current(), await authenticate(request));
  return {
    ...{ handler: handlerOf(respond), respond, allowList: allowList.current },
    ...{ assertAuthenticated, servesBatches, reachableBy, errors },
  };
}

/** Authentication by tokens and by the validator tasks of a run; says so in the log where there is neither. */
export function authenticateRun(
  { store, logger }: Pick<ServedRun, "store" | "logger">,
  { name, auth }: Pick<ServeRunOptions, "name" | "auth">,
  repeats: Repeats = createRepeats({ atOnce: 10, periodMs: 10_000 }),
): Authenticate {
  const { header, findTokenHolder, tokenOption, timeoutMs, allowAnonymous } = auth;
  // Where a proxy on this machine cannot be told from a program of it, at least production is closed.
  const isProduction = store.mode === "prod" || getPlatform().getEnv("NODE_ENV") === "production";
  const validators = validatorsOf(store);
  if (findTokenHolder === undefined && validators.length === 0) {
    const byDefault = isProduction ? "no caller, since this is production" : "programs of this machine only";
    const served = allowAnonymous === undefined ? byDefault : allowAnonymous ? "every caller" : "no caller";
    void logger.warn(
      `The ${name} has no authentication and serves ${served}. Set ${tokenOption} or add a validator task.`,
    );
  }
  return createAuthenticate({
    header,
    readToken: auth.readToken,
    findTokenHolder,
    validators,
    timeoutMs,
    failures: auth.failures,
    admitsAnonymous: ({ edge }) => allowAnonymous ?? (!isProduction && (edge?.isLocal() ?? false)),
    onOddVerdict: (validatorId, verdict) =>
      repeats.add(`${validatorId} ${verdict}`, (repeated) => {
        const data = { id: validatorId, verdict, ...(repeated > 0 && { repeated }) };
        void logger.warn(`${name}.auth.verdict: a validator approves by { ok: true } only.`, { data });
      }),
  });
}

const validatorsOf = (store: Store): TaskCell[] =>
  store
    .getTasksWithTag(authValidator)
    .map(({ id }) => store.findTask(id))
    .filter((cell) => cell !== undefined);

/** Refusals are counted rather than repeated, because their senders decide how many there are. */
function createRefusalReport(name: string, logger: Logger, repeats: Repeats) {
  return (call: WireRequest, { status, code, cause }: WireFailure): void => {
    const { method, path } = call.edge?.describe() ?? { method: "POST", path: call.target.id };
    const data = { requestId: call.headers[requestIdHeader], method, path: cutForLog(path), status, code };
    const failed = cause === undefined ? undefined : { error: cause, data: { ...data, error: messageOf(cause) } };
    repeats.add(code, (repeated) => {
      const counted = repeated > 0 ? { repeated } : {};
      if (failed === undefined) void logger.warn(`${name}.auth.failure`, { data: { ...data, ...counted } });
      else void logger.error(`${name}.auth.unavailable`, { ...failed, data: { ...failed.data, ...counted } });
    });
  };
}

const notEnabledAdvice = (transport: string): string =>
  `Every task and event answers 403: no server-mode ${transport.toUpperCase()} tunnel is registered. Register ` +
  `r.tunnel.server(id).tasks([...]).build(), or a resource tagged globals.tags.tunnel whose init returns { transport: "${transport}", mode: "server", tasks: [...], events: [...] }.`;

const unservedAdvice =
  "lists ids that are not served, so that they answer its holder 403. Correct them, or list them in a server tunnel.";

/** Our own errors are never sent: they describe the inside of the application. */
const isUnregistered = (error: unknown, registered: Store["errors"]): error is RunnerError =>
  isRunnerError(error) && !registered.has(error.id) && !error.id.startsWith("runner.errors.");

const messageOf = (thrown: unknown): string => normalizeError(thrown).message;
