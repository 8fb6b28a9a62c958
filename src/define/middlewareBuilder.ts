import type { DependencyMap, Injected, Listed, Unbuilt } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import { symbolFramework } from "../lib/symbols";
import type { GivenMeta, IMiddlewareMeta, TagType } from "./attachments";
import type { DependencySource, ReplaceOption } from "./builderLists";
import type { JournalKey } from "./journal";
import type {
  IResourceMiddlewareExecutionInput,
  ITaskMiddlewareExecutionInput,
  ResourceMiddleware,
  ResourceMiddlewareReach,
  Side,
  TaskMiddleware,
  TaskMiddlewareReach,
} from "./middleware";

/**
 * Fluent form of a task middleware; every method returns a new builder.
 *
 * `C` is the config, `In` and `Out` the contracts, `D` what `run` receives.
 */
export interface TaskMiddlewareBuilder<C, In, Out, D extends object> extends Unbuilt {
  readonly id: string;
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option?: { override?: false },
  ): TaskMiddlewareBuilder<C, In, Out, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option: { override: true },
  ): TaskMiddlewareBuilder<C, In, Out, { [K in keyof N]: Injected<N[K]> }>;
  /** Validates, and may transform, the config at `.with(...)`. */
  configSchema<N>(schema: Schema<N>): TaskMiddlewareBuilder<N, In, Out, D>;
  /** The body: calls `next` to go on inwards, and resolves to what callers get. */
  run(
    run: (input: ITaskMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: D, config: C) => Promise<any>, // a middleware may return anything
  ): TaskMiddlewareBuilder<C, In, Out, D>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends IMiddlewareMeta>(meta: M): TaskMiddlewareBuilder<C, In, Out, D>;
  /** Adds tags; `{ override: true }` replaces them. */
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
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option?: { override?: false },
  ): ResourceMiddlewareBuilder<C, In, Out, D & { [K in keyof N]: Injected<N[K]> }>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option: { override: true },
  ): ResourceMiddlewareBuilder<C, In, Out, { [K in keyof N]: Injected<N[K]> }>;
  /** Validates, and may transform, the config at `.with(...)`. */
  configSchema<N>(schema: Schema<N>): ResourceMiddlewareBuilder<N, In, Out, D>;
  /** The body: calls `next` to go on inwards, and resolves to what callers get. */
  run(
    run: (input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: D, config: C) => Promise<any>, // a middleware may return anything
  ): ResourceMiddlewareBuilder<C, In, Out, D>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends IMiddlewareMeta>(meta: M): ResourceMiddlewareBuilder<C, In, Out, D>;
  /** Adds tags; `{ override: true }` replaces them. */
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
  /** Validates, and may transform, the config at `.with(...)`. */
  readonly configSchema?: Schema<C> | undefined;
  readonly meta?: GivenMeta<IMiddlewareMeta> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  /** Applies to every task, or to those the predicate picks, outside their own middleware. */
  readonly everywhere?: TaskMiddlewareReach | undefined;
  run(input: ITaskMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: Deps, config: C): Promise<any>; // a middleware may return anything
}

/** A resource middleware as `resourceMiddleware({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received. */
export interface ResourceMiddlewareDefinition<C, In, Out, D, Deps, Id extends string = string> {
  readonly id: Id;
  readonly dependencies?: Listed<D, C> | undefined;
  /** Validates, and may transform, the config at `.with(...)`. */
  readonly configSchema?: Schema<C> | undefined;
  readonly meta?: GivenMeta<IMiddlewareMeta> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  /** Applies to every resource, or to those the predicate picks, outside their own middleware. */
  readonly everywhere?: ResourceMiddlewareReach | undefined;
  run(input: IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, dependencies: Deps, config: C): Promise<any>; // a middleware may return anything
}

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
