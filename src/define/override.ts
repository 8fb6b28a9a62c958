import type { DependencyMap, InjectedInResourceMap, InjectedMap, Listed } from "../lib/injectable";
import { symbolFilePath } from "../lib/symbols";
import type { CheckedBy, Contract, DemandedBy, FixedOutput, NoContracts } from "./contracts";
import type { IEventEmission } from "./event";
import {
  createHook,
  hookBuilderOf,
  isHook,
  type Hook,
  type HookDraft,
  type HookOverride,
  type HookPayload,
} from "./hook";
import { createMiddleware, middlewareBuilderOf } from "./createMiddleware";
import {
  isResourceMiddleware,
  isTaskMiddleware,
  type IResourceMiddleware,
  type IResourceMiddlewareExecutionInput,
  type ITaskMiddleware,
  type ITaskMiddlewareExecutionInput,
  type ResourceMiddleware,
  type Side,
  type TaskMiddleware,
} from "./middleware";
import type { MiddlewareDraft, ResourceMiddlewareBuilder, TaskMiddlewareBuilder } from "./middlewareBuilder";
import { createResource, resourceBuilderOf } from "./createResource";
import { isResource, type ExtractResourceConfig, type Resource, type Within } from "./resource";
import type { ResourceBuilder, ResourceDraft } from "./resourceBuilder";
import type { ItemStream } from "../lib/itemStream";
import type { ItemCallInfo, ItemInputTask, ItemInputTaskBuilder } from "./itemInput";
import { createTask, taskBuilderOf, type TaskDraft } from "./createTask";
import { isPhantomTask, isTask, type CallInfo, type ITask, type Task } from "./task";
import type { TaskBuilder } from "./taskBuilder";

type AnyResource = Resource<any, any, any>;

/** Definitions that can be overridden, structurally: the checker then names the `kind` of what cannot. */
interface OverridableBase {
  readonly kind: "task" | "resource" | "hook" | "taskMiddleware" | "resourceMiddleware";
  readonly id: string;
}

interface FixedIdentity {
  readonly id?: never;
  readonly kind?: never;
}

/** What an override is held to: what its body receives, and for resources the private context, the value and its checks. */
interface Held<D, Context = never, Value = never, Tags extends readonly Contract[] = readonly []> {
  deps: unknown extends D ? any : D; // nothing is known
  context: unknown extends Context ? any : Context; // as above
  value: Value;
  checks: Tags;
}

/** Of each kind of definition. */
type HeldTo<T> =
  T extends Task<any, any, infer D, any, any, any>
    ? Held<D>
    : T extends Resource<any, infer V, infer D>
      ? unknown extends D
        ? Held<unknown, unknown, Awaited<V>>
        : D extends Within<infer Deps, infer Context, infer Value, infer Tags extends readonly Contract[]>
          ? Held<Deps, Context, Value, Tags>
          : Held<D, unknown, Awaited<V>>
      : T extends Hook<any, infer D>
        ? Held<D>
        : T extends TaskMiddleware<any, any, any, infer D> | ResourceMiddleware<any, any, any, infer D>
          ? Held<D>
          : never;

type DependenciesOf<T> = HeldTo<T>["deps"];
type ContextOf<T> = HeldTo<T>["context"];
type PromisedOf<T> = HeldTo<T>["value"];
type ChecksOf<T> = HeldTo<T>["checks"];

/** What `init` of an override resolves to: without checks, what was promised. */
type Replacing<T, Value> = ChecksOf<T> extends readonly [] ? PromisedOf<T> : Value & DemandedBy<ChecksOf<T>, Value>;

/** What the body of an override receives: what the patch lists, else what the base receives. */
type Received<T, Listing> = [Listing] extends [never]
  ? DependenciesOf<T>
  : T extends AnyResource
    ? InjectedInResourceMap<Listing>
    : InjectedMap<Listing>;

/**
 * The fields of a base that a patch may replace; id and result type stay. `Deps` is what its body receives, `Value` what its
 * `init` resolves to.
 */
export type OverridePatch<T, Deps = DependenciesOf<T>, Value = PromisedOf<T>> =
  T extends Task<any, any, any, any, any, any>
    ? TaskPatch<T, Deps>
    : T extends AnyResource
      ? FixedIdentity &
          Partial<Omit<ResourceDraft, "id" | "dependencies" | "init" | "dispose">> & {
            init?(
              config: ExtractResourceConfig<T>,
              dependencies: Deps,
              context: ContextOf<T>,
            ): Promise<Replacing<T, Value>>;
            dispose?(
              value: PromisedOf<T>,
              config: ExtractResourceConfig<T>,
              dependencies: Deps,
              context: ContextOf<T>,
            ): Promise<void>;
          }
      : T extends Hook<infer On, any>
        ? FixedIdentity &
            Partial<Omit<HookDraft, "id" | "on" | "dependencies" | "run">> & {
              readonly on?: never;
              run?(event: IEventEmission<HookPayload<On>>, dependencies: Deps): Promise<any>; // what it resolves to is ignored
            }
        : T extends TaskMiddleware<infer C, infer In, infer Out, any>
          ? MiddlewarePatch<C, ITaskMiddlewareExecutionInput<Side<In>, Side<Out>>, Deps>
          : T extends ResourceMiddleware<infer C, infer In, infer Out, any>
            ? MiddlewarePatch<C, IResourceMiddlewareExecutionInput<Side<In>, Side<Out>>, Deps>
            : never;

type TaskPatch<T, Deps> = T extends { readonly $io?: readonly [infer I, infer O] }
  ? FixedIdentity &
      Partial<Omit<TaskDraft, "id" | "dependencies" | "run">> & {
        run?(input: I, dependencies: Deps, info: InfoOf<T>): Returned<O>;
      }
  : never;

/** What a body learns of its call: the items, where it takes some. */
type InfoOf<T> = T extends { readonly takesItems: true; readonly $itemInput?: readonly [infer Item, any] }
  ? ItemCallInfo<Item>
  : CallInfo;

/** What a body returns whose callers are given this. */
type Returned<O> = O extends ItemStream<infer Item, infer Result> ? AsyncGenerator<Item, Result, any> : O; // what `next` is given, streams ignore

type MiddlewarePatch<C, Input, Deps> = FixedIdentity &
  Partial<Omit<MiddlewareDraft, "id" | "dependencies" | "run" | "config">> & {
    readonly config?: C;
    run?(input: Input, dependencies: Deps, config: C): Promise<any>; // a middleware may return anything
  };

/**
 * A definition of the same id and kind with some fields replaced; list it in `.overrides([...])`.
 *
 * @throws {Error} the base is no task, resource, hook or middleware
 */
export function defineOverride<
  T extends OverridableBase,
  Listing extends DependencyMap = never,
  Value extends PromisedOf<T> = PromisedOf<T>,
>(
  base: T,
  patch: OverridePatch<T, Received<T, Listing>, Value> & {
    readonly dependencies?: Listed<Listing, ExtractResourceConfig<T>> | undefined;
  },
): T {
  const draft = { ...base, ...patch, id: base.id };
  const filePath = filePathOf(base);
  return kindOf(base, {
    task: (task) => createTask(draft, filePath, isPhantomTask(task)),
    resource: () => createResource(draft, filePath),
    hook: (hook) => createHook({ ...(draft as HookDraft), on: hook.on }, filePath),
    taskMiddleware: () => createMiddleware("taskMiddleware", draft, filePath),
    resourceMiddleware: () => createMiddleware("resourceMiddleware", draft, filePath),
  }) as T;
}

/** The builder of a base's kind, filled with the base. */
export type OverrideBuilderOf<T> =
  T extends ItemInputTask<infer I, infer O, any, infer In, infer Id, infer E, infer Item, infer ItemIn>
    ? // Of a streamed one, `.stream` says what it gives.
      ItemInputTaskBuilder<I, O extends Promise<any> ? O : Promise<any>, any, NoContracts, In, Id, E, Item, ItemIn>
    : T extends Task<infer I, infer O, any, infer In, infer Id, infer E>
      ? TaskBuilder<I, O, DependenciesOf<T>, NoContracts, In, Id, E>
      : T extends AnyResource
        ? ResourceBuilder<
            ExtractResourceConfig<T>,
            Promise<PromisedOf<T>>,
            DependenciesOf<T>,
            ContextOf<T>,
            ChecksOf<T> extends readonly [] ? FixedOutput<NoContracts> : CheckedBy<ChecksOf<T>>
          >
        : T extends Hook<infer On, any>
          ? HookOverride<On, DependenciesOf<T>>
          : T extends TaskMiddleware<infer C, infer In, infer Out, any>
            ? TaskMiddlewareBuilder<C, In, Out, DependenciesOf<T>>
            : T extends ResourceMiddleware<infer C, infer In, infer Out, any>
              ? ResourceMiddlewareBuilder<C, In, Out, DependenciesOf<T>>
              : never;

/** What `r.override` is. */
export type OverrideBuilder = <T extends OverridableBase>(base: T) => OverrideBuilderOf<T>;

/** @throws {Error} the base is no task, resource, hook or middleware */
export const overrideBuilder: OverrideBuilder = <T extends OverridableBase>(base: T): OverrideBuilderOf<T> => {
  const filePath = filePathOf(base);
  return kindOf(base, {
    task: (task) => taskBuilderOf(task, filePath),
    resource: (resource) => resourceBuilderOf(resource as ResourceDraft, filePath),
    hook: (hook) => {
      const { on: _fixed, ...builder } = hookBuilderOf(hook as HookDraft, filePath);
      return Object.freeze(builder);
    },
    taskMiddleware: (middleware) => middlewareBuilderOf("taskMiddleware", middleware, filePath),
    resourceMiddleware: (middleware) => middlewareBuilderOf("resourceMiddleware", middleware, filePath),
  }) as OverrideBuilderOf<T>;
};

const filePathOf =
  (base: OverridableBase): (() => string) =>
  () =>
    (base as unknown as { readonly [symbolFilePath]: string })[symbolFilePath];

interface KindCases {
  task(base: ITask): unknown;
  resource(base: AnyResource): unknown;
  hook(base: Hook<any, any>): unknown;
  taskMiddleware(base: ITaskMiddleware): unknown;
  resourceMiddleware(base: IResourceMiddleware): unknown;
}

function kindOf(base: unknown, cases: KindCases): unknown {
  if (isTask(base)) return cases.task(base);
  if (isResource(base)) return cases.resource(base);
  if (isHook(base)) return cases.hook(base);
  if (isTaskMiddleware(base)) return cases.taskMiddleware(base);
  if (isResourceMiddleware(base)) return cases.resourceMiddleware(base);
  throw new Error("r.override() supports tasks, resources, hooks, and middleware only.");
}
