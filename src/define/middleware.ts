import { builderIncompleteError, type BuilderType } from "../errors/bootErrors";
import { captureFilePath, withFilePath } from "../lib/filePath";
import { isPlainObject } from "../lib/guards";
import type { DependencyMap, Injected, InjectedMap, InjectedOf, Listed, ReceivedBy, Unbuilt } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolFramework,
  symbolMiddlewareConfigured,
  symbolResourceMiddleware,
  symbolTaskMiddleware,
} from "../lib/symbols";
import type { Bare, Unaliased } from "../lib/typeLevel";
import type { GivenMeta, IMiddlewareMeta, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import {
  appendTo,
  mergeDependencies,
  type DependencySource,
  type ListedDependencies,
  type ReplaceOption,
} from "./builderLists";
import type { Contract } from "./contracts";
import type { ExecutionJournal, JournalKey } from "./journal";
import { parseConfig } from "./parseConfig";
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

interface MiddlewareFields<C> {
  readonly id: string;
  readonly meta: IMiddlewareMeta;
  readonly tags: TagType[];
  readonly dependencies: ListedDependencies;
  readonly configSchema?: Schema<C> | undefined;
  readonly [symbolFilePath]: string;
  readonly $injectable?: readonly ["a middleware has no value to depend on: attach it with .middleware([...])"];
}

/** What a task middleware is, whether its config is given or not. */
interface TaskMiddlewareFields<C, In, Out, D> extends Contract<In, Out>, MiddlewareFields<C> {
  readonly kind: "taskMiddleware";
  readonly config: C;
  readonly everywhere?: TaskMiddlewareReach | undefined;
  readonly [symbolTaskMiddleware]: true;
  run(input: GivenExecutionInput<Side<In>, Side<Out>>, dependencies: any, config: C): Promise<any>; // typed by the builder
  /**
   * The middleware with a config; objects are merged when called again.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: WithConfig<C, TaskMiddlewareConfigured<C, In, Out, D>>;
  readonly $config?: readonly [C];
}

/** Wraps task executions. `In` and `Out` are contracts on the tasks it is attached to, `D` is what its body receives, as in `Task`. */
export interface TaskMiddleware<C, In, Out, D> extends TaskMiddlewareFields<C, In, Out, D> {
  readonly $bare?: Bare<C, "this middleware needs a config: use .with(config)">;
}

/** A task middleware with its config given. */
export interface TaskMiddlewareConfigured<C, In, Out, D> extends TaskMiddlewareFields<C, In, Out, D> {
  readonly [symbolMiddlewareConfigured]: true;
  readonly $bare?: readonly [true];
}

/** A task middleware, with the type parameters of 5.x. */
export type ITaskMiddleware<C = any, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddleware<C, In, Out, InjectedOf<D>>
>;
/** A task middleware with its config given, with the type parameters of 5.x. */
export type ITaskMiddlewareConfigured<C = any, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddlewareConfigured<C, In, Out, InjectedOf<D>>
>;

/** What a resource middleware is, whether its config is given or not. */
interface ResourceMiddlewareFields<C, In, Out, D> extends Contract<In, Out>, MiddlewareFields<C> {
  readonly kind: "resourceMiddleware";
  readonly config: C;
  readonly everywhere?: ResourceMiddlewareReach | undefined;
  readonly [symbolResourceMiddleware]: true;
  run(input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: any, config: C): Promise<any>; // typed by the builder
  /**
   * The middleware with a config; objects are merged when called again.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: WithConfig<C, ResourceMiddlewareConfigured<C, In, Out, D>>;
  readonly $config?: readonly [C];
}

/** Wraps the `init` of resources. `In` and `Out` are contracts on config and value, `D` is what its body receives, as in `Task`. */
export interface ResourceMiddleware<C, In, Out, D> extends ResourceMiddlewareFields<C, In, Out, D> {
  readonly $bare?: Bare<C, "this middleware needs a config: use .with(config)">;
}

/** A resource middleware with its config given. */
export interface ResourceMiddlewareConfigured<C, In, Out, D> extends ResourceMiddlewareFields<C, In, Out, D> {
  readonly [symbolMiddlewareConfigured]: true;
  readonly $bare?: readonly [true];
}

/** A resource middleware, with the type parameters of 5.x. */
export type IResourceMiddleware<C = any, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddleware<C, In, Out, InjectedOf<D>>
>;
/** A resource middleware with its config given, with the type parameters of 5.x. */
export type IResourceMiddlewareConfigured<C = any, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddlewareConfigured<C, In, Out, InjectedOf<D>>
>;

/**
 * Fluent form of a task middleware; every method returns a new builder.
 *
 * `C` is the config, `In` and `Out` the contracts, `D` what `run` receives.
 */
export interface TaskMiddlewareBuilder<C, In, Out, D extends object> extends Unbuilt {
  readonly id: string;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option?: { override?: false },
  ): TaskMiddlewareBuilder<C, In, Out, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option: { override: true },
  ): TaskMiddlewareBuilder<C, In, Out, { [K in keyof N]: Injected<N[K]> }>;
  configSchema<N>(schema: Schema<N>): TaskMiddlewareBuilder<N, In, Out, D>;
  run(
    run: (input: ITaskMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: D, config: C) => Promise<any>, // a middleware may return anything
  ): TaskMiddlewareBuilder<C, In, Out, D>;
  meta<M extends IMiddlewareMeta>(meta: M): TaskMiddlewareBuilder<C, In, Out, D>;
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): TaskMiddlewareBuilder<C, In, Out, D>;
  /** Applies to every task, or to those the predicate picks, outside their own middleware. */
  everywhere(reach: TaskMiddlewareReach): TaskMiddlewareBuilder<C, In, Out, D>;
  /** @throws {builderIncompleteError} `.run` is missing */
  build(): TaskMiddleware<C, In, Out, D>;
}

/**
 * Fluent form of a resource middleware; every method returns a new builder.
 *
 * `C` is the config, `In` and `Out` the contracts, `D` what `run` receives.
 */
export interface ResourceMiddlewareBuilder<C, In, Out, D extends object> extends Unbuilt {
  readonly id: string;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option?: { override?: false },
  ): ResourceMiddlewareBuilder<C, In, Out, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option: { override: true },
  ): ResourceMiddlewareBuilder<C, In, Out, { [K in keyof N]: Injected<N[K]> }>;
  configSchema<N>(schema: Schema<N>): ResourceMiddlewareBuilder<N, In, Out, D>;
  run(
    run: (input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: D, config: C) => Promise<any>, // a middleware may return anything
  ): ResourceMiddlewareBuilder<C, In, Out, D>;
  meta<M extends IMiddlewareMeta>(meta: M): ResourceMiddlewareBuilder<C, In, Out, D>;
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): ResourceMiddlewareBuilder<C, In, Out, D>;
  /** Applies to every resource, or to those the predicate picks, outside their own middleware. */
  everywhere(reach: ResourceMiddlewareReach): ResourceMiddlewareBuilder<C, In, Out, D>;
  /** @throws {builderIncompleteError} `.run` is missing */
  build(): ResourceMiddleware<C, In, Out, D>;
}

/** A task middleware as `taskMiddleware({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received. */
export interface TaskMiddlewareDefinition<C, In, Out, D, Deps, Id extends string = string> {
  readonly id: Id;
  readonly dependencies?: Listed<D, C> | undefined;
  readonly configSchema?: Schema<C> | undefined;
  readonly meta?: GivenMeta<IMiddlewareMeta> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly everywhere?: TaskMiddlewareReach | undefined;
  run(input: ITaskMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: Deps, config: C): Promise<any>; // a middleware may return anything
}

/** A resource middleware as `resourceMiddleware({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received. */
export interface ResourceMiddlewareDefinition<C, In, Out, D, Deps, Id extends string = string> {
  readonly id: Id;
  readonly dependencies?: Listed<D, C> | undefined;
  readonly configSchema?: Schema<C> | undefined;
  readonly meta?: GivenMeta<IMiddlewareMeta> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly everywhere?: ResourceMiddlewareReach | undefined;
  run(input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: Deps, config: C): Promise<any>; // a middleware may return anything
}

type MiddlewareKind = "taskMiddleware" | "resourceMiddleware";

/** Everything a middleware is made from, without its types. */
export interface MiddlewareDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly config?: unknown;
  readonly configSchema?: Schema | undefined;
  readonly meta?: GivenMeta<IMiddlewareMeta> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly everywhere?: boolean | ((definition: never) => boolean) | undefined;
  readonly run?: ((input: never, dependencies: never, config: never) => Promise<unknown>) | undefined;
  /** Of middleware that the framework provides: what it writes to journals. */
  readonly journalKeys?: Readonly<Record<string, JournalKey<any>>> | undefined;
  /** Marks middleware that the framework provides; attaching it is enough. */
  readonly [symbolFramework]?: object | undefined;
}

export const isTaskMiddleware = (value: unknown): value is ITaskMiddleware => hasBrand(value, symbolTaskMiddleware);
export const isResourceMiddleware = (value: unknown): value is IResourceMiddleware =>
  hasBrand(value, symbolResourceMiddleware);

/** Starts a task middleware. */
export function taskMiddlewareBuilder<C = void, In = void, Out = void, D = {}>(
  id: string,
): TaskMiddlewareBuilder<C, In, Out, InjectedOf<D>> {
  assertId("task middleware", id);
  return middlewareBuilderOf("taskMiddleware", { id }, captureFilePath(taskMiddlewareBuilder));
}

/** Starts a resource middleware. */
export function resourceMiddlewareBuilder<C = void, In = void, Out = void, D = {}>(
  id: string,
): ResourceMiddlewareBuilder<C, In, Out, InjectedOf<D>> {
  assertId("resource middleware", id);
  return middlewareBuilderOf("resourceMiddleware", { id }, captureFilePath(resourceMiddlewareBuilder));
}

/** Makes a task middleware from a definition object. */
export function defineTaskMiddleware<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = never,
  Id extends string = any,
>(
  definition: TaskMiddlewareDefinition<C, In, Out, D, ReceivedBy<D, Id, InjectedMap<D>>, Id>,
): TaskMiddleware<C, In, Out, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("task middleware", definition.id);
  return createMiddleware("taskMiddleware", definition, captureFilePath(defineTaskMiddleware));
}

/** Makes a resource middleware from a definition object. */
export function defineResourceMiddleware<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = never,
  Id extends string = any,
>(
  definition: ResourceMiddlewareDefinition<C, In, Out, D, ReceivedBy<D, Id, InjectedMap<D>>, Id>,
): ResourceMiddleware<C, In, Out, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("resource middleware", definition.id);
  return createMiddleware("resourceMiddleware", definition, captureFilePath(defineResourceMiddleware));
}

/** @internal The builder over a draft; overrides start from one that is filled. Gives `any`: the callers name the type. */
export function middlewareBuilderOf(kind: MiddlewareKind, draft: MiddlewareDraft, filePath: () => string): any {
  // the callers name the type
  const at = (patch: Partial<MiddlewareDraft>): unknown => middlewareBuilderOf(kind, { ...draft, ...patch }, filePath);
  return Object.freeze({
    id: draft.id,
    dependencies(added: DependencySource, option?: ReplaceOption) {
      assertDependencies("Middleware", draft.id, added);
      return at({ dependencies: mergeDependencies(draft.dependencies, added, option) });
    },
    configSchema: (configSchema: Schema) => at({ configSchema }),
    run(run: NonNullable<MiddlewareDraft["run"]>) {
      assertFunction("Middleware", draft.id, "run", run);
      return at({ run });
    },
    meta: (meta: IMiddlewareMeta) => at({ meta }),
    tags(tags: readonly TagType[], option?: ReplaceOption) {
      assertList("Middleware", draft.id, "tags", tags);
      return at({ tags: appendTo(draft.tags, tags, option) });
    },
    everywhere: (everywhere: NonNullable<MiddlewareDraft["everywhere"]>) => at({ everywhere }),
    build: () => createMiddleware(kind, draft, filePath),
  });
}

const builderTypes: Record<MiddlewareKind, BuilderType> = {
  taskMiddleware: "task-middleware",
  resourceMiddleware: "resource-middleware",
};

/** @internal Gives `any`: the callers name the type. */
export function createMiddleware(
  kind: MiddlewareKind,
  draft: MiddlewareDraft,
  filePath: () => string,
  configured = false,
): any {
  // the callers name the type
  const { id, dependencies = {}, config = {}, configSchema, meta = {}, tags = [], everywhere, run } = draft;
  if (typeof run !== "function") {
    throw builderIncompleteError.create({ type: builderTypes[kind], builderId: id, missingFields: ["run"] });
  }
  assertSchema("Middleware", id, "configSchema", configSchema);
  const definition = {
    kind,
    id,
    dependencies,
    config,
    configSchema,
    meta,
    tags,
    everywhere,
    run,
    [kind === "taskMiddleware" ? symbolTaskMiddleware : symbolResourceMiddleware]: true,
    ...(configured && { [symbolMiddlewareConfigured]: true }),
    ...(draft[symbolFramework] && { [symbolFramework]: draft[symbolFramework], journalKeys: draft.journalKeys }),
    with(given: unknown): unknown {
      const parsed = parseConfig(configSchema, given, "Middleware config", id);
      return createMiddleware(
        kind,
        { ...(this as MiddlewareDraft), config: mergeConfig(config, parsed) },
        filePath,
        true,
      );
    },
  };
  return Object.freeze(withFilePath(definition, filePath));
}

/**
 * The first config keeps its identity: middleware that counts or limits shares state by config object.
 * A later one is merged over it.
 */
function mergeConfig(current: unknown, given: unknown): unknown {
  if (!isPlainObject(current) || !isPlainObject(given)) return given;
  return Object.keys(current).length === 0 ? given : { ...current, ...given };
}
