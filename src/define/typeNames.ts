/**
 * Type names that applications written against 5.x use in annotations, stated in the terms of this version.
 */
import type { DefaultErrorType, IErrorDefinition } from "../errors/defineError";
import type {
  DependencyMap,
  Injected,
  InjectedInResource,
  InjectedInResourceMap,
  InjectedInResourceOf,
  InjectedMap,
  InjectedOf,
} from "../lib/injectable";
import type { IsAny, Open, OpenConfig, RequiredKeys, Simplify, Unaliased, UnionToIntersection } from "../lib/typeLevel";
import type { IAsyncContextDefinition } from "./asyncContext";
import type { ResourceMiddlewareAttachmentType, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import type {
  Carrying,
  Contract,
  ContractInput,
  ContractOutput,
  HasNever,
  InputContractViolationError,
  OutputBound,
  ResolveInput as ResolveContractInput,
  Sides,
} from "./contracts";
import type { EventDependencyCaller, IEvent } from "./event";
import type { HookBuilder, HookDefinition, HookOverride, ValidOnTarget } from "./hook";
import type {
  ResourceMiddlewareBuilder,
  ResourceMiddlewareDefinition,
  TaskMiddlewareBuilder,
  TaskMiddlewareDefinition,
} from "./middlewareBuilder";
import type { ResourceBuilder, ResourceDefinition } from "./resourceBuilder";
import type { ITag } from "./tag";
import type { PhantomTaskBuilder, TaskBuilder, TaskDefinition } from "./taskBuilder";

// Builders and definition objects, with the type parameters of 5.x; those for meta are no longer part of the types.
/* eslint-disable @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x */
type AttachedTags = readonly TagType[];
type AttachedToTask = readonly TaskMiddlewareAttachmentType[];
type AttachedToResource = readonly ResourceMiddlewareAttachmentType[];

/** What `r.task(id)` gives, and each of its steps. */
export type TaskFluentBuilder<
  I = undefined,
  O extends Promise<any> = Promise<any>,
  D = {},
  M = any,
  Tags extends AttachedTags = readonly [],
  Mw extends AttachedToTask = readonly [],
> = Unaliased<TaskBuilder<I, O, InjectedOf<D>, Carrying<Tags, Mw>>>;
/** What `r.task.phantom(id)` gives: a task that another process runs. */
export type PhantomTaskFluentBuilder<I = undefined, Result = any, D = {}, M = any, Tags = any, Mw = any> = Unaliased<
  PhantomTaskBuilder<I, Result>
>;
/** What `r.resource(id)` gives, and each of its steps. */
export type ResourceFluentBuilder<
  C = void,
  V extends Promise<any> = Promise<any>,
  D = {},
  Context = any,
  M = any,
  Tags extends AttachedTags = readonly [],
  Mw extends AttachedToResource = readonly [],
> = Unaliased<ResourceBuilder<C, V, InjectedInResourceOf<D>, Context, Carrying<Tags, Mw>>>;
/** What `r.hook(id)` gives, and each of its steps. */
export type HookFluentBuilder<D = {}, On = undefined, M = any> = Unaliased<HookBuilder<On, InjectedOf<D>>>;
/** What `r.override(hook)` gives. */
export type HookOverrideBuilder<D = {}, On = any, M = any> = Unaliased<HookOverride<On, InjectedOf<D>>>;
/** What `r.middleware.task(id)` gives, and each of its steps. */
export type TaskMiddlewareFluentBuilder<C = void, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddlewareBuilder<C, In, Out, InjectedOf<D>>
>;
/** What `r.middleware.resource(id)` gives, and each of its steps. */
export type ResourceMiddlewareFluentBuilder<C = void, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddlewareBuilder<C, In, Out, InjectedOf<D>>
>;

/** What `task({ ... })` takes. */
export type ITaskDefinition<
  I = any,
  O extends Promise<any> = any,
  D extends DependencyMap = any,
  M = any,
  Tags extends AttachedTags = AttachedTags,
  Mw extends AttachedToTask = AttachedToTask,
> = TaskDefinition<I, O, D, InjectedMap<D>, O, Tags, Mw>;
/** What `resource({ ... })` takes. */
export type IResourceDefinition<
  C = any,
  V extends Promise<any> = any,
  D extends DependencyMap = any,
  Context = any,
  Hooks = any,
  Items = any,
  M = any,
  Tags extends AttachedTags = AttachedTags,
  Mw extends AttachedToResource = AttachedToResource,
> = ResourceDefinition<C, V, D, InjectedInResourceMap<D>, V, Context, Tags, Mw>;
/** What `hook({ ... })` takes. */
export type IHookDefinition<D extends DependencyMap = any, On extends ValidOnTarget = any, M = any> = HookDefinition<
  D,
  InjectedMap<D>,
  On
>;
/** What `taskMiddleware({ ... })` takes. */
export type ITaskMiddlewareDefinition<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = any,
> = TaskMiddlewareDefinition<C, In, Out, D, InjectedMap<D>>;
/** What `resourceMiddleware({ ... })` takes. */
export type IResourceMiddlewareDefinition<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = any,
> = ResourceMiddlewareDefinition<C, In, Out, D, InjectedMap<D>>;

/** The `init` of a resource. */
export type ResourceInitFn<
  C,
  V extends Promise<any>,
  D extends DependencyMap,
  Context,
  M = any,
  Tags = any,
  Mw = any,
> = (config: C, dependencies: InjectedInResourceMap<D>, context: Context) => V;
/* eslint-enable @typescript-eslint/no-unused-vars */

/** Dependencies by the names that a body knows them by. */
export type DependencyMapType = DependencyMap;
/** What a body receives for one dependency. */
export type DependencyValueType<D> = Injected<D>;
/** What a body receives for a map of dependencies. */
export type DependencyValuesType<M> = InjectedMap<M>;
/** Anything that can stand in a map of dependencies. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export type ResourceDependency<R = any> = DependencyMap[string];
/** What the `init` of a resource receives for one dependency. */
export type ResourceDependencyValueType<D> = InjectedInResource<D>;
/** What the `init` of a resource receives for a map of dependencies. */
export type ResourceDependencyValuesType<M> = InjectedInResourceMap<M>;
/** What a body receives for an event it depends on: a function that emits it. */
export type EventDependency<P> = EventDependencyCaller<P>;
/** An event, as `build()` gives it. */
export type IEventDefinitionFinal<P = any> = IEvent<P>;
/** What `defineError` takes. */
export type IErrorDefinitionFinal<Data extends object = DefaultErrorType> = IErrorDefinition<Data>;
/** What `asyncContext({ ... })` takes. */
export type AsyncContextDefinition<T> = IAsyncContextDefinition<T>;
/** What `.on(...)` of a hook takes: an event, several of them, or `"*"`. */
export type HookOn = ValidOnTarget;

/** A tag that may be attached without `.with(...)`. */
export type ITagWithOptionalConfig<C = any, In = any, Out = any> = ITag<C, In, Out> & {
  readonly $bare?: readonly [true];
};

/** `true` for `undefined` and `void`, which stand for a slot without a type. */
export type IsUnspecified<T> = Open<T>;
/** Whether an input is without a type, so that a later step may give it one. */
export type ShouldReplaceInput<T> = Open<T>;
/** As `ShouldReplaceInput`, of configs, where `any` counts as a type. */
export type ShouldReplaceConfig<T> = OpenConfig<T>;
/** The type of an input after a step that proposes one: the first one given holds. */
export type ResolveInput<Existing, Proposed> = Open<Existing> extends true ? Proposed : Existing;
/** The type of a config after a step that proposes one: the first one given holds. */
export type ResolveConfig<Existing, Proposed> = OpenConfig<Existing> extends true ? Proposed : Existing;

// Contracts
/** Something that states a contract, as tags and middleware do. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export type IContractable<_Config = any, In = any, Out = any> = Contract<In, Out>;
type ContractKind = "input" | "output";
/** One side of a tag or middleware; `never` when it states none. */
export type ExtractContractOf<T, Kind extends ContractKind> = [Sides<readonly [T], SideOf<Kind>>] extends [never]
  ? never
  : Sides<readonly [T], SideOf<Kind>>[0];
type SideOf<Kind extends ContractKind> = Kind extends "input" ? 0 : 1;
/** That side of every item that states one, as a tuple. */
export type FilterContractsKind<
  Items extends readonly unknown[],
  Kind extends ContractKind,
  Found extends readonly unknown[] = [],
> = Items extends readonly [infer First, ...infer Rest]
  ? FilterContractsKind<
      Rest,
      Kind,
      [ExtractContractOf<First, Kind>] extends [never] ? Found : [...Found, ExtractContractOf<First, Kind>]
    >
  : Found;
/** One side of the contracts that tags or middleware state, as a tuple. */
export type ExtractContractsFromCollection<
  Items extends readonly unknown[],
  Kind extends ContractKind,
> = FilterContractsKind<Items, Kind>;
/** The inputs that tags or middleware state, as a tuple. */
export type ExtractInputTypeFromContracts<Items extends readonly unknown[]> = FilterContractsKind<Items, "input">;
/** The results that tags or middleware state, as a tuple. */
export type ExtractOutputTypeFromContracts<Items extends readonly unknown[]> = FilterContractsKind<Items, "output">;
/** @deprecated use `ExtractOutputTypeFromContracts` */
export type ExtractTagsWithNonVoidReturnTypeFromTags<Items extends readonly unknown[]> =
  ExtractOutputTypeFromContracts<Items>;
/** The input that the single contract of a list states; `never` where it states none, or several are there. */
export type ContractsUnionInputs<Items> = Sides<Items, 0> extends readonly [infer In] ? In : never;
/** The result that the single contract of a list states; `never` where it states none, or several are there. */
export type ContractsUnionOutputs<Items> = Sides<Items, 1> extends readonly [infer Out] ? Out : never;
/** What an input has to be to satisfy all contracts of a list. */
export type ContractsIntersectionInputs<Items> = ContractInput<Items>;
/** What a result has to be to satisfy all contracts of a list. */
export type ContractsIntersectionOutputs<Items> = ContractOutput<Items>;
/** Whether a list has contracts on the input. */
export type HasInputContracts<Items> = [Sides<Items, 0>] extends [never] ? false : true;
/** Whether a list has contracts on the result. */
export type HasOutputContracts<Items> = [Sides<Items, 1>] extends [never] ? false : true;
/** Whether a type is `never`, or has a property that is. */
export type HasNeverProperty<T> = HasNever<T>;
/** The properties of a type that are `never`. */
export type KeysWithNever<T> = { [K in keyof T]-?: [T[K]] extends [never] ? K : never }[keyof T];
/** Whether a list has a fixed length. */
export type IsTuple<T extends readonly unknown[]> = number extends T["length"] ? false : true;
/** Whether no value can satisfy an intersection. */
export type IsImpossibleIntersection<T> = HasNever<T>;
/** `never` for `void` and `undefined`, else the type itself. */
export type NonVoid<T> = [T] extends [void] ? never : T;
/** `never` for `unknown`, else the type itself. */
export type UnknownToNever<T> = IsAny<T> extends true ? T : unknown extends T ? never : T;
/** `never` when the value satisfies the contracts, else the violation. */
export type EnsureInputSatisfiesContracts<Items, Value> =
  HasInputContracts<Items> extends true
    ? [Value] extends [ContractInput<Items>]
      ? Value
      : InputContractViolationError<ContractInput<Items>, Value>
    : Value;
/** The value when it satisfies the contracts on results, else `never`. */
export type EnsureOutputSatisfiesContracts<Items, Value> =
  HasOutputContracts<Items> extends true ? ([Awaited<Value>] extends [OutputBound<Items>] ? Value : never) : Value;
/** @deprecated use `EnsureOutputSatisfiesContracts` */
export type EnsureResponseSatisfiesContracts<Items, Value> = EnsureOutputSatisfiesContracts<Items, Value>;
/** The input that contracts and an annotation give together, or how they disagree. */
export type InferInputOrViolationFromContracts<Items, Value = undefined> = ResolveContractInput<
  Value,
  Open<Value>,
  Items,
  Value
>;
/** The result that contracts ask for; `unknown` without any. */
export type InferOutputOrViolationFromContracts<Items> =
  HasOutputContracts<Items> extends true ? OutputBound<Items> : unknown;
/** The parameters of a body whose input contracts give; none without contracts. */
export type InputArg<Items> = HasInputContracts<Items> extends true ? [input: ContractInput<Items>] : [];
/** How the contracts of a list contradict each other; `unknown` where they do not. */
export type InputCollisionGuard<Items> =
  HasNever<ContractInput<Items>> extends true ? InputContractViolationError<ContractInput<Items>> : unknown;

export type { IsAny, RequiredKeys, Simplify, UnionToIntersection };
