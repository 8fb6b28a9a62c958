import type { InjectedOf } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolMiddlewareConfigured,
  symbolResourceMiddleware,
  symbolTaskMiddleware,
} from "../lib/symbols";
import type { Bare, Unaliased } from "../lib/typeLevel";
import type { IMiddlewareMeta, TagType } from "./attachments";
import { hasBrand } from "./brand";
import type { ListedDependencies } from "./builderLists";
import type { Contract } from "./contracts";
import type { ExecutionJournal } from "./journal";
import type { IResource } from "./resource";
import type { WithConfig } from "./tag";
import type { CallDeadline, ITask } from "./task";

/** What a task middleware, or an interceptor of tasks, receives. */
export interface ITaskMiddlewareExecutionInput<In = any, Out = any> {
  readonly task: { readonly definition: ITask; readonly input: In };
  /** Goes on inwards: without argument with the current input, else with the given one, `undefined` included. */
  readonly next: (input?: In, options?: NextOptions) => Promise<Out>;
  readonly journal: ExecutionJournal;
  /** Aborts with the signal of the caller, and when the time of the call is up; never, when the caller set neither. */
  readonly signal: AbortSignal;
  /** The time that is left, where a caller on the way set one. */
  readonly deadline?: CallDeadline | undefined;
  /** `"local"`, or what the call came in by, such as `"exposure:http"`. */
  readonly origin: string;
  /** What authentication calls the caller, if the call came in from outside. */
  readonly name?: string | undefined;
  /** What authentication found out about the caller, if the call came in from outside. */
  readonly principal?: unknown;
  /** The key that its caller gave, where a tunnel routes the call: repeated with it, it is made once. */
  readonly idempotencyKey?: string | undefined;
}

/** What a task middleware may say of how it goes on; needs the input beside it. */
export interface NextOptions {
  /** Aborts what is inside as well, until it has settled: the body's `signal`, and what it calls in turn. */
  readonly signal?: AbortSignal | undefined;
  /** The time for what is inside, in ms. When it is up `next` rejects with `deadlineExceededError`, and the signal aborts. */
  readonly timeoutMs?: number | undefined;
  /**
   * Goes on whatever becomes of the caller: `signal`, which has to be given, takes the place of the caller's signal and time.
   * Then `timeoutMs` is told and not counted. Default false.
   */
  readonly detached?: boolean | undefined;
}

/** An execution input made by hand, as in a unit test of a middleware: it may lack what is known of the caller. */
export type GivenExecutionInput<In = any, Out = any> = Omit<ITaskMiddlewareExecutionInput<In, Out>, CallerFacts> &
  Partial<Pick<ITaskMiddlewareExecutionInput, CallerFacts>>;

type CallerFacts = "signal" | "deadline" | "origin" | "name" | "principal";

/** What a resource middleware, or an interceptor of resources, receives. */
export interface IResourceMiddlewareExecutionInput<C = any, Out = any> {
  readonly resource: { readonly definition: IResource<any, any>; readonly config: C };
  /** Goes on inwards: without argument with the current config, else with the given one. */
  readonly next: (config?: C) => Promise<Out>;
}

/** A contract side inside `run`: `any` when nothing is stated. */
export type Side<T> = [T] extends [void] ? any : T;

/** Applies to every task, or to those a predicate picks. */
export type TaskMiddlewareReach = boolean | ((task: ITask) => boolean);
/** Applies to every resource, or to those a predicate picks. */
export type ResourceMiddlewareReach = boolean | ((resource: IResource<any, any>) => boolean);

/** What a middleware is, be it of tasks or of resources; `Given` is the one with its config given. */
interface MiddlewareFields<C, In, Out, Given> extends Contract<In, Out> {
  readonly id: string;
  readonly meta: IMiddlewareMeta;
  readonly tags: TagType[];
  readonly dependencies: ListedDependencies;
  readonly config: C;
  readonly configSchema?: Schema<C> | undefined;
  /**
   * The middleware with a config; objects are merged when called again.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: WithConfig<C, Given>;
  readonly [symbolFilePath]: string;
  readonly $config?: readonly [C];
  readonly $injectable?: readonly ["a middleware has no value to depend on: attach it with .middleware([...])"];
}

/** A middleware whose config is not given: it can be attached as it is where it needs none. */
interface Unconfigured<C> {
  readonly $bare?: Bare<C, "this middleware needs a config: use .with(config)">;
}

interface Configured {
  readonly [symbolMiddlewareConfigured]: true;
  readonly $bare?: readonly [true];
}

/** What a task middleware is, whether its config is given or not. */
interface TaskMiddlewareFields<C, In, Out, D> extends MiddlewareFields<
  C,
  In,
  Out,
  TaskMiddlewareConfigured<C, In, Out, D>
> {
  readonly kind: "taskMiddleware";
  readonly everywhere?: TaskMiddlewareReach | undefined;
  readonly [symbolTaskMiddleware]: true;
  run(input: GivenExecutionInput<Side<In>, Side<Out>>, dependencies: any, config: C): Promise<any>; // typed by the builder
}

/** Wraps task executions. `In` and `Out` are contracts on the tasks it is attached to, `D` is what its body receives, as in `Task`. */
export interface TaskMiddleware<C, In, Out, D> extends TaskMiddlewareFields<C, In, Out, D>, Unconfigured<C> {}

/** A task middleware with its config given. */
export interface TaskMiddlewareConfigured<C, In, Out, D> extends TaskMiddlewareFields<C, In, Out, D>, Configured {}

/** A task middleware, with the type parameters of 5.x. */
export type ITaskMiddleware<C = any, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddleware<C, In, Out, InjectedOf<D>>
>;
/** A task middleware with its config given, with the type parameters of 5.x. */
export type ITaskMiddlewareConfigured<C = any, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddlewareConfigured<C, In, Out, InjectedOf<D>>
>;

/** What a resource middleware is, whether its config is given or not. */
interface ResourceMiddlewareFields<C, In, Out, D> extends MiddlewareFields<
  C,
  In,
  Out,
  ResourceMiddlewareConfigured<C, In, Out, D>
> {
  readonly kind: "resourceMiddleware";
  readonly everywhere?: ResourceMiddlewareReach | undefined;
  readonly [symbolResourceMiddleware]: true;
  run(input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: any, config: C): Promise<any>; // typed by the builder
}

/** Wraps the `init` of resources. `In` and `Out` are contracts on config and value, `D` is what its body receives, as in `Task`. */
export interface ResourceMiddleware<C, In, Out, D> extends ResourceMiddlewareFields<C, In, Out, D>, Unconfigured<C> {}

/** A resource middleware with its config given. */
export interface ResourceMiddlewareConfigured<C, In, Out, D>
  extends ResourceMiddlewareFields<C, In, Out, D>, Configured {}

/** A resource middleware, with the type parameters of 5.x. */
export type IResourceMiddleware<C = any, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddleware<C, In, Out, InjectedOf<D>>
>;
/** A resource middleware with its config given, with the type parameters of 5.x. */
export type IResourceMiddlewareConfigured<C = any, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddlewareConfigured<C, In, Out, InjectedOf<D>>
>;

export const isTaskMiddleware = (value: unknown): value is ITaskMiddleware => hasBrand(value, symbolTaskMiddleware);
export const isResourceMiddleware = (value: unknown): value is IResourceMiddleware =>
  hasBrand(value, symbolResourceMiddleware);
