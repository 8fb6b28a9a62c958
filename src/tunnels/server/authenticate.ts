import {
  authNotConfigured,
  authUnavailable,
  requestAborted,
  tooManyFailures,
  unauthorized,
} from "../../errors/wireErrors";
import { normalizeError } from "../../errors/normaliseThrown";
import { linkSignals } from "../../lib/linkSignals";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { WireRequest } from "../protocol/wire";
import type { AuthValidatorInput, TunnelEventSelector, TunnelTaskSelector } from "../routing/tags";

/** Who calls. */
export interface Caller {
  /** Identifies the caller: what its validator says, `token:` and a digest for a static token, else `anonymous`. */
  readonly name: string;
  /** As its validator returned it; servers that have policies narrow it. */
  readonly policy?: unknown;
  /** Who it is, for tasks. */
  readonly principal?: unknown;
  /** What it may call of that which is served; where none of these is given, all of it. */
  readonly tasks?: TunnelTaskSelector | undefined;
  readonly events?: TunnelEventSelector | undefined;
  /** What of that which is subscribable it may listen to. */
  readonly subscribable?: TunnelEventSelector | undefined;
}

/** Says who calls, or throws. Synchronous unless a validator task or an asynchronous policy has to be asked. */
export type Authenticate = (request: WireRequest) => Caller | Promise<Caller>;

/** What a server asks of those who call. */
export interface AuthenticationParts {
  /** Name of the header that carries the token, in lower case. */
  readonly header: string;
  /** A token that comes by another way than the header, which comes first. Default: none does. */
  readonly readToken?: ((request: WireRequest) => string | undefined) | undefined;
  /** Whose token a header value is; absent when no token is configured. Must not leak by its timing. */
  readonly findTokenHolder: ((presented: string) => Caller | undefined) | undefined;
  /** Tasks that may approve what no token did, asked one after another. */
  readonly validators: readonly TaskCell[];
  /** How long the validators of one request may take, in ms. */
  readonly timeoutMs: number;
  /** Where neither tokens nor validators exist: whether this request is served all the same. */
  readonly admitsAnonymous: (request: WireRequest) => MaybePromise<boolean>;
  /** Counts refusals by address. Default: no count. */
  readonly failures?: FailureCount | undefined;
  /** A validator returned something else than `{ ok: true }` or `{ ok: false }`, which counts as no. */
  readonly onOddVerdict: (validatorId: string, verdict: string) => void;
}

/** Refusals by address. */
export interface FailureCount {
  /** In how many ms the address may try again; `undefined`: now. */
  waitOf(address: string): number | undefined;
  add(address: string): void;
}

/** A caller about which nothing is known. */
const anonymous: Caller = { name: "anonymous" };

/** Refuses with 401, with 500 where authentication is missing and needed, with 503 where it fails. */
export function createAuthenticate(parts: AuthenticationParts): Authenticate {
  const { header, readToken, findTokenHolder, validators, admitsAnonymous, failures } = parts;
  if (findTokenHolder === undefined && validators.length === 0) {
    return (request) => {
      const admits = admitsAnonymous(request);
      return typeof admits === "boolean" ? admitOrRefuse(admits) : admits.then(admitOrRefuse);
    };
  }
  return (request) => {
    const holder = findTokenHolder && holderOf(request, header, readToken, findTokenHolder);
    // Also where others of the same address failed: who has a token is not one that guesses.
    if (holder !== undefined) return holder;
    assertFewFailures(failures, request);
    if (validators.length === 0) throw refused(failures, request);
    return askValidators(parts, request);
  };
}

/** @throws {WireFailure} 429 */
function assertFewFailures(failures: FailureCount | undefined, { edge }: WireRequest): void {
  const address = failures && edge?.failureAddress();
  const waitMs = address === undefined ? undefined : failures?.waitOf(address);
  if (waitMs !== undefined) throw tooManyFailures(Math.ceil(waitMs / 1000));
}

/** Counts a refusal, and gives what the caller is refused with. */
export function refused(failures: FailureCount | undefined, { edge }: WireRequest): Error {
  const address = failures && edge?.failureAddress();
  if (address !== undefined) failures?.add(address);
  return unauthorized();
}

/** Refuses requests before anything of their caller is looked at. */
export function guardRequests(
  authenticate: Authenticate,
  refusalOf: ((request: WireRequest) => MaybePromise<Error | undefined>) | undefined,
): Authenticate {
  if (refusalOf === undefined) return authenticate;
  const goOn = (request: WireRequest, refusal: Error | undefined): ReturnType<Authenticate> => {
    if (refusal !== undefined) throw refusal;
    return authenticate(request);
  };
  return (request) => {
    const refusal = refusalOf(request);
    return refusal instanceof Promise ? refusal.then((decided) => goOn(request, decided)) : goOn(request, refusal);
  };
}

function admitOrRefuse(admits: boolean): Caller {
  if (!admits) throw authNotConfigured();
  return anonymous;
}

/** A header that arrived more than once says nothing: who reads the first value and who reads the last would differ. */
function holderOf(
  request: WireRequest,
  header: string,
  readToken: AuthenticationParts["readToken"],
  findTokenHolder: (presented: string) => Caller | undefined,
): Caller | undefined {
  const { headers, edge } = request;
  const value = headers[header];
  if (value === undefined) {
    const token = readToken?.(request);
    return token === undefined ? undefined : findTokenHolder(token);
  }
  if (typeof value === "object" && value.length !== 1) return undefined;
  // Asked even of an empty value, so that its absence takes no different path.
  const holder = findTokenHolder(String(value));
  return holder !== undefined && edge?.isRepeated(header) === true ? undefined : holder;
}

/** A carrier without an edge has no request of its own: validators see the headers of the call. */
const describe = ({ edge, headers }: WireRequest): AuthValidatorInput =>
  edge?.describe() ?? { headers, method: "POST", url: "/", path: "/" };

async function askValidators(
  { validators, timeoutMs, onOddVerdict, failures: count }: AuthenticationParts,
  request: WireRequest,
): Promise<Caller> {
  const input = describe(request);
  const expiry = new AbortController();
  const timer = setTimeout(() => expiry.abort(), timeoutMs);
  const caller = request.signal;
  const { signal, release } = linkSignals(caller === undefined ? [expiry.signal] : [caller, expiry.signal]);
  const failures: unknown[] = [];
  try {
    for (const validator of validators) {
      const { id } = validator.task;
      try {
        const verdict: unknown = await settleOrAbort(validator.invoke(input, { scope: { signal } }), signal);
        const approved = callerOf(verdict);
        if (approved !== undefined) return approved;
        if (!isRefusal(verdict)) onOddVerdict(id, describeVerdict(verdict));
      } catch (error) {
        if (caller?.aborted) throw requestAborted();
        if (expiry.signal.aborted) {
          throw authUnavailable(new Error(`Validator "${id}" took longer than ${timeoutMs} ms.`));
        }
        failures.push(error);
      }
    }
  } finally {
    clearTimeout(timer);
    release();
  }
  // Who asks again later may be approved, whereas a 401 makes callers log their users out.
  if (failures.length === 0) throw refused(count, request);
  throw authUnavailable(normalizeError(failures[0]));
}

/** What is said of a caller has to be understood: a limit that is not would not be one. */
function callerOf(verdict: unknown): Caller | undefined {
  if (okOf(verdict) !== true || flawOf(verdict as Approval) !== undefined) return undefined;
  const { name = anonymous.name, policy, principal, tasks, events, subscribable } = verdict as Caller;
  return { name, policy, principal, tasks, events, subscribable };
}

type Approval = { readonly [K in keyof Caller]?: unknown };

/** A name that is no text would make all such callers one. */
function flawOf({ name, tasks, events, subscribable }: Approval): string | undefined {
  if (name !== undefined && (typeof name !== "string" || name === "")) return "name is no text";
  if (!isSelector(tasks)) return "tasks are no selector";
  if (!isSelector(events)) return "events are no selector";
  return isSelector(subscribable) ? undefined : "subscribable is no selector";
}

const isSelector = (value: unknown): boolean =>
  value === undefined || Array.isArray(value) || typeof value === "function";
const isRefusal = (verdict: unknown): boolean => okOf(verdict) === false;

const okOf = (verdict: unknown): unknown =>
  typeof verdict === "object" && verdict !== null ? (verdict as { ok?: unknown }).ok : undefined;

/** What kind of thing a validator returned; not the thing, which may hold credentials. */
function describeVerdict(verdict: unknown): string {
  if (typeof verdict !== "object" || verdict === null) return kindOf(verdict);
  if (okOf(verdict) === true) return `an object whose ${flawOf(verdict)}`;
  return "ok" in verdict ? `an object whose ok is ${kindOf(verdict.ok)}` : "an object without ok";
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
