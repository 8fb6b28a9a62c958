import type { Checking, OutputCheck } from "../../define/contracts";
import { defineTag, type ITag } from "../../define/tag";
import type { ItemsOption } from "../../define/itemInput";
import type { IEvent, IEventEmission } from "../../define/event";
import type { CallDeadline, ITask } from "../../define/task";
import type { TraceContext } from "../../lib/traceContext";
import type { ContextSelection } from "./contextSelection";
import type { RepeatOptions } from "./idempotency";
import type { RequestDescription } from "../protocol/wire";

/**
 * What a tunnel does in this process: `client` routes calls away, `server` says what may be called from outside,
 * `both` does both, `none` nothing.
 */
export type TunnelMode = "client" | "server" | "both" | "none";
/** Ids or definitions, or a predicate over every registered task. */
export type TunnelTaskSelector = readonly (string | ITask)[] | ((task: ITask) => boolean);
/** Ids or definitions, or a predicate over every registered event. */
export type TunnelEventSelector = readonly (string | IEvent)[] | ((event: IEvent) => boolean);
/**
 * Which listeners receive an event of a client tunnel: local ones and then remote ones (`mirror`), remote ones only, local
 * ones only, or remote ones, and local ones if that fails.
 */
export type EventDeliveryMode = "mirror" | "remote-only" | "local-only" | "remote-first";

/** A client as a tunnel uses it; every client of this package is one. */
export interface TunnelClient {
  /**
   * Runs a task of the server.
   * @throws {TunnelError} or the typed error of the task
   */
  task(id: any, input?: any, options?: any): Promise<any>; // the caller's types are the tasks'
  /** Emits an event on the server. */
  event(id: any, payload?: any, options?: any): Promise<void>; // as above
  /** As `event`; resolves to the payload as the listeners of the server left it. */
  eventWithResult?(id: any, payload?: any, options?: any): Promise<any>; // as above
  /** Calls a task that streams items. */
  stream?(id: any, input?: any, options?: any): AsyncIterable<any>; // as above
  /** Listens to events of the server. */
  subscribe?(events: readonly any[], options?: any): AsyncIterable<any>; // as above
  /** What the server says may be called. */
  discover?(options?: any): Promise<unknown>; // as above
}

/** What one of several endpoints says may be called, or why it does not. */
export interface EndpointDiscovery {
  /** Of the endpoint. */
  readonly url: string;
  /** What it says; absent where it could not be asked. */
  readonly discovery?: unknown;
  /** Absent where there is a discovery. */
  readonly error?: unknown;
}

/** What a client tunnel does at boot about a server that is not what its callers were written against. */
export type VerifyMode = "warn" | "throw" | "off";

/** A contract that was written down, as `runner contract pull` does; a file of JSON that is imported is one. */
export interface ContractLockFile {
  /** The version of the format: 1. */
  readonly lock: number;
  /** Of the whole contract. */
  readonly hash: string;
  /** By id. */
  readonly tasks: object;
  /** By id. */
  readonly events: object;
}

/** How a client tunnel compares what it names with its server, when it initialises. */
export interface TunnelVerification {
  readonly mode: VerifyMode;
  /** What callers were written against. Default: only whether the server has what is named. */
  readonly lock?: ContractLockFile | undefined;
  /** How long the server may take to say its contract, in ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** What a call tells the process that serves it. A client of this package takes it as the options of its call. */
export interface RemoteCallOptions extends RepeatOptions {
  /** Aborts when the caller aborts, and when its time is up. */
  readonly signal?: AbortSignal | undefined;
  /** What is left of the caller's time. */
  readonly deadline?: CallDeadline | undefined;
  /** The place of the call in the caller's trace. */
  readonly trace?: TraceContext | undefined;
}

/** The same for a task that a tunnel routes, which may take items. */
export interface RoutedCallOptions extends RemoteCallOptions, Partial<ItemsOption<unknown>> {}

/** The value of a tunnel resource. */
export interface TunnelRunner {
  /** What carries the calls; a server of another kind ignores the tunnel. Default: any. */
  readonly transport?: "http" | (string & {}) | undefined;
  /** Default "none". */
  readonly mode?: TunnelMode | undefined;
  readonly tasks?: TunnelTaskSelector | undefined;
  readonly events?: TunnelEventSelector | undefined;
  /** Default "mirror". */
  readonly eventDeliveryMode?: EventDeliveryMode | undefined;
  /** Server side: events that other processes may listen to. Emitting them from outside is another right: `events`. */
  readonly subscribable?: TunnelEventSelector | undefined;
  /** Client side: events of the other process that listeners of this one receive; needs a `client` that subscribes. */
  readonly hears?: TunnelEventSelector | undefined;
  /** Client side: whether its server is still what callers were written against. Default: it is not asked. */
  readonly verify?: TunnelVerification | undefined;
  /** Runs a selected task elsewhere. A method: a tunnel for one task may name that task's input. */
  run?(task: ITask, input?: unknown, options?: RoutedCallOptions): Promise<unknown>;
  /** Emits a selected event elsewhere; what it resolves to becomes the payload, unless `undefined`. */
  emit?(emission: IEventEmission): Promise<unknown>;
  /** Stands in for `run` and `emit` where they are missing. */
  readonly client?: TunnelClient | undefined;
  /** Server side: whether callers may set async contexts. Default true. */
  readonly allowAsyncContext?: boolean | undefined;
  /** Server side: which async contexts callers may set. Default "all". */
  readonly contexts?: ContextSelection | undefined;
}

/** Whether a selection that is there, and not an empty list, has none of these beside it. */
type Lacks<Runner, Selection extends string, Means extends string> = Runner extends {
  readonly [K in Selection]: infer Selected;
}
  ? [Selected] extends [readonly never[] | undefined]
    ? false
    : [keyof Runner & Means] extends [never]
      ? true
      : false
  : false;

/** What a tunnel that is known to be a client lacks; a `TunnelRunner`, which may be anything, lacks nothing. */
export type MissingRoute<Runner> = Runner extends { readonly mode: "client" | "both" }
  ? Lacks<Runner, "tasks", "run" | "client"> extends true
    ? { readonly run: "a client tunnel with tasks needs run or client" }
    : Lacks<Runner, "events", "emit" | "client"> extends true
      ? { readonly emit: "a client tunnel with events needs emit or client" }
      : never
  : never;

/** The check of the tag of tunnels. */
interface RouteCheck extends OutputCheck {
  readonly problem: MissingRoute<this["output"]>;
}
/** The tag of tunnels. */
export interface TunnelTag extends ITag<void, void, TunnelRunner>, Checking<RouteCheck> {}

/** Marks a resource whose value is a `TunnelRunner`. */
export const tunnel: TunnelTag = /* @__PURE__ */ defineTag({ id: "globals.tags.tunnel" });

/** How a tunnel runs the tasks it routes. */
export type TunnelTaskRunner = (task: ITask, input?: unknown, options?: RoutedCallOptions) => Promise<unknown>;
/** The config of the tag of tunnels: there is none. */
export interface TunnelTagConfig {}

/** A middleware, by id or definition. */
export type TunnelMiddlewareId = string | { readonly id: string };
/** The middleware that one side keeps. */
export interface TunnelTaskMiddlewareSidePolicy {
  readonly middlewareAllowList?: readonly TunnelMiddlewareId[] | undefined;
}
/** The same, also as a bare list. */
export type TunnelTaskMiddlewarePolicySideConfig = readonly TunnelMiddlewareId[] | TunnelTaskMiddlewareSidePolicy;

/** Which caller-side middleware still runs for a task that a tunnel routes; all accepted spellings. */
export interface TunnelTaskMiddlewarePolicyConfig {
  readonly client?: TunnelTaskMiddlewarePolicySideConfig | undefined;
  /** Declarative: the process that runs the task enforces nothing. */
  readonly server?: TunnelTaskMiddlewarePolicySideConfig | undefined;
  readonly middlewareAllowList?:
    | {
        readonly client?: readonly TunnelMiddlewareId[] | undefined;
        readonly server?: readonly TunnelMiddlewareId[] | undefined;
      }
    | undefined;
}

/** Lists, on a task, the caller-side middleware that a tunnel keeps. Without it none runs. */
export const tunnelPolicy: ITag<TunnelTaskMiddlewarePolicyConfig> = /* @__PURE__ */ defineTag({
  id: "globals.tags.tunnel.middlewarePolicy",
});

/** The request, as a validator task sees it. */
export interface AuthValidatorInput extends RequestDescription {}

/** What a driver may bind at a relay; what is left out is not restricted. */
export interface DriverPolicy {
  /** Ports of the relay. */
  readonly ports?: readonly number[] | undefined;
  /** Names in public URLs. */
  readonly names?: readonly string[] | undefined;
  /** "http" for what is exposed, "tcp" for what is pulled. */
  readonly kinds?: readonly ("http" | "tcp")[] | undefined;
  /** Taking bindings over from connected sessions of the same caller; "any" for those of all callers. Default true. */
  readonly takeover?: boolean | "any" | undefined;
  readonly maxBindings?: number | undefined;
  /** In ms since 1970: then the session ends. */
  readonly expiresAt?: number | undefined;
}

/** What a validator task returns; anything but `ok: true` is a no. */
export interface AuthValidatorResult {
  readonly ok: boolean;
  /**
   * Identifies the caller, for logs, rate limits and the third argument of tasks; a relay compares it where a session is
   * resumed or taken over. Default "anonymous".
   */
  readonly name?: string | undefined;
  /** Who the caller is, for tasks: an exposure provides it under the context that `auth.principal` names. */
  readonly principal?: unknown;
  /** Which of the exposed tasks the caller may run. Default: all, or none where `events` or `subscribable` is given. */
  readonly tasks?: TunnelTaskSelector | undefined;
  /** Which of the exposed events the caller may emit. Default: all, or none where `tasks` or `subscribable` is given. */
  readonly events?: TunnelEventSelector | undefined;
  /** Which of the subscribable events the caller may listen to. Default: all, or none where `tasks` or `events` is given. */
  readonly subscribable?: TunnelEventSelector | undefined;
  /** What the caller may do as the driver of a relay. Default: everything. */
  readonly policy?: DriverPolicy | undefined;
  /** For logs of the validator; never sent to the caller. */
  readonly message?: string | undefined;
}

/** Marks a task that may approve requests to an exposure. */
export const authValidator: ITag<void, AuthValidatorInput, AuthValidatorResult> = /* @__PURE__ */ defineTag({
  id: "globals.tags.authValidator",
});

/** How a task is a check. All optional. */
export interface HealthCheckConfig {
  /**
   * What a failure ends: "ready" keeps new calls away until the check passes, "health" asks for the process to be
   * replaced, and keeps calls away as well. Default "ready".
   */
  readonly affects?: "ready" | "health" | undefined;
  /** How long it may take, in ms; then its signal aborts and it has failed. Default 1,000. */
  readonly timeoutMs?: number | undefined;
  /** How long an outcome stands, in ms: requests meanwhile do not run the task. Default 1,000; 0 runs it each time. */
  readonly cacheMs?: number | undefined;
}

/**
 * Marks a task as a check of `http.health` and `http.ready`. It is called without input; throwing or returning `false`
 * fails it, and `{ status: "pass" | "warn" | "fail", output?: string }` says more.
 *
 * @see readmes/HEALTH_AND_SHUTDOWN.md
 */
export const healthCheck: ITag<HealthCheckConfig> = /* @__PURE__ */ defineTag({ id: "globals.tags.healthCheck" });
