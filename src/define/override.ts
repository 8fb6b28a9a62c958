import { symbolFilePath } from "../lib/symbols";
import type { Contract, ContractOutput, Sides } from "./contracts";
import type { IEventEmission } from "./event";
import {
  createHook,
  hookBuilderOf,
  isHook,
  type HookDraft,
  type HookOverrideBuilder,
  type HookPayload,
  type IHook,
} from "./hook";
import {
  createMiddleware,
  isResourceMiddleware,
  isTaskMiddleware,
  middlewareBuilderOf,
  type IResourceMiddleware,
  type ITaskMiddleware,
  type MiddlewareDraft,
  type MiddlewareShape,
  type ResourceMiddlewareFluentBuilder,
  type TaskMiddlewareFluentBuilder,
} from "./middleware";
import {
  createResource,
  isResource,
  resourceBuilderOf,
  type IResource,
  type NewResourceShape,
  type ResourceDraft,
  type ResourceFluentBuilder,
} from "./resource";
import {
  createTask,
  isPhantomTask,
  isTask,
  taskBuilderOf,
  type CallInfo,
  type ITask,
  type NewTaskShape,
  type TaskDraft,
  type TaskFluentBuilder,
} from "./task";
import type { With } from "../lib/typeLevel";

/** Definitions that can be overridden. */
type OverridableBase =
  | ITask<any, any>
  | IResource<any, any>
  | IHook<any, any>
  | ITaskMiddleware<any, any, any>
  | IResourceMiddleware<any, any, any>;

interface FixedIdentity {
  readonly id?: never;
  readonly kind?: never;
}

/**
 * The value of an override: what dependants of the base were promised.
 *
 * A contract of optional keys alone, as a tunnel's, takes its place: which of them are there is up to each `init`.
 */
type OverrideValue<V, Tags, Mw> = Tags extends readonly Contract[]
  ? Mw extends readonly Contract[]
    ? ValueUnder<Awaited<V>, readonly [...Tags, ...Mw]>
    : Awaited<V>
  : Awaited<V>;

type ValueUnder<Value, Items> = [Sides<Items, 1>] extends [never]
  ? Value
  : {} extends ContractOutput<Items>
    ? ContractOutput<Items>
    : Value;

/** The fields of a base that a patch may replace; id and result type stay. */
export type OverridePatch<T> =
  T extends ITask<infer I, infer O>
    ? FixedIdentity &
        Partial<Omit<TaskDraft, "id" | "run">> & {
          run?(input: I, dependencies: any, info: CallInfo): O; // any map may be there
        }
    : T extends IResource<infer C, infer V, any, any, any, infer Tags, infer Mw>
      ? FixedIdentity &
          Partial<Omit<ResourceDraft, "id" | "init" | "dispose">> & {
            init?(config: C, dependencies: any, context: any): Promise<OverrideValue<V, Tags, Mw>>; // as for tasks
            dispose?(value: OverrideValue<V, Tags, Mw>, config: C, dependencies: any, context: any): Promise<void>; // as above
          }
      : T extends IHook<any, infer On>
        ? FixedIdentity &
            Partial<Omit<HookDraft, "id" | "on" | "run">> & {
              readonly on?: never;
              run?(event: IEventEmission<HookPayload<On>>, dependencies: any): Promise<any>; // as above
            }
        : T extends { run(...input: infer A): infer R; readonly config: infer C }
          ? FixedIdentity &
              Partial<Omit<MiddlewareDraft, "id" | "run" | "config">> & { readonly config?: C; run?(...input: A): R }
          : never;

/**
 * A definition of the same id and kind with some fields replaced; list it in `.overrides([...])`.
 *
 * @throws {Error} the base is no task, resource, hook or middleware
 */
export function defineOverride<T extends OverridableBase>(base: T, patch: OverridePatch<T>): T {
  const draft = { ...base, ...patch, id: base.id } as never;
  const filePath = (): string => base[symbolFilePath];
  return kindOf(base, {
    task: (task) => createTask(draft, filePath, isPhantomTask(task)),
    resource: () => createResource(draft, filePath),
    hook: (hook) => createHook({ ...(draft as HookDraft), on: hook.on }, filePath),
    taskMiddleware: () => createMiddleware("taskMiddleware", draft, filePath),
    resourceMiddleware: () => createMiddleware("resourceMiddleware", draft, filePath),
  }) as T;
}

/** The shape of a task builder that starts from a finished task. */
type TaskShapeOf<I, O> = With<NewTaskShape, { input: I; output: Awaited<O>; deps: any }>; // any dependency may be there
type ResourceShapeOf<C, Value> = With<NewResourceShape<C>, { value: Value; schema: true; deps: any }>; // as above

/** The builder of a base's kind, filled with the base. */
export interface OverrideBuilder {
  <I, O extends Promise<any>>(base: ITask<I, O>): TaskFluentBuilder<TaskShapeOf<I, O>>;
  <C, V extends Promise<any>, Tags, Mw>(
    base: IResource<C, V, any, any, any, Tags, Mw>,
  ): ResourceFluentBuilder<ResourceShapeOf<C, OverrideValue<V, Tags, Mw>>>;
  <D, On>(base: IHook<D, On>): HookOverrideBuilder<{ on: On; deps: any }>; // as above
  <C, In, Out>(base: ITaskMiddleware<C, In, Out>): TaskMiddlewareFluentBuilder<MiddlewareShapeOf<C, In, Out>>;
  <C, In, Out>(base: IResourceMiddleware<C, In, Out>): ResourceMiddlewareFluentBuilder<MiddlewareShapeOf<C, In, Out>>;
}

interface MiddlewareShapeOf<C, In, Out> extends MiddlewareShape {
  config: C;
  in: In;
  out: Out;
  deps: any; // any dependency may be there
}

/** What `r.override(base)` is. @throws {Error} the base is no task, resource, hook or middleware */
export const overrideBuilder: OverrideBuilder = ((base: OverridableBase): unknown => {
  const filePath = (): string => base[symbolFilePath];
  return kindOf(base, {
    task: (task) => taskBuilderOf(task as TaskDraft, filePath),
    resource: (resource) => resourceBuilderOf(resource as ResourceDraft, filePath),
    hook: (hook) => {
      const { on: _fixed, ...builder } = hookBuilderOf(hook as HookDraft, filePath) as unknown as Record<
        string,
        unknown
      >;
      return Object.freeze(builder);
    },
    taskMiddleware: (middleware) => middlewareBuilderOf("taskMiddleware", middleware as MiddlewareDraft, filePath),
    resourceMiddleware: (middleware) =>
      middlewareBuilderOf("resourceMiddleware", middleware as MiddlewareDraft, filePath),
  });
}) as OverrideBuilder;

interface KindCases {
  task(base: ITask): unknown;
  resource(base: IResource<any, any>): unknown;
  hook(base: IHook): unknown;
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
