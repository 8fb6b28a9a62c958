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

export type TaskFluentBuilder<
  I = undefined,
  O extends Promise<any> = Promise<any>,
  D = {},
  M = any,
  Tags extends AttachedTags = readonly [],
  Mw extends AttachedToTask = readonly [],
> = Unaliased<TaskBuilder<I, O, InjectedOf<D>, Carrying<Tags, Mw>>>;
export type PhantomTaskFluentBuilder<I = undefined, Result = any, D = {}, M = any, Tags = any, Mw = any> = Unaliased<
  PhantomTaskBuilder<I, Result>
>;
export type ResourceFluentBuilder<
  C = void,
  V extends Promise<any> = Promise<any>,
  D = {},
  Context = any,
  M = any,
  Tags extends AttachedTags = readonly [],
  Mw extends AttachedToResource = readonly [],
> = Unaliased<ResourceBuilder<C, V, InjectedInResourceOf<D>, Context, Carrying<Tags, Mw>>>;
export type HookFluentBuilder<D = {}, On = undefined, M = any> = Unaliased<HookBuilder<On, InjectedOf<D>>>;
export type HookOverrideBuilder<D = {}, On = any, M = any> = Unaliased<HookOverride<On, InjectedOf<D>>>;
export type TaskMiddlewareFluentBuilder<C = void, In = void, Out = void, D = {}> = Unaliased<
  TaskMiddlewareBuilder<C, In, Out, InjectedOf<D>>
>;
export type ResourceMiddlewareFluentBuilder<C = void, In = void, Out = void, D = {}> = Unaliased<
  ResourceMiddlewareBuilder<C, In, Out, InjectedOf<D>>
>;

export type ITaskDefinition<
  I = any,
  O extends Promise<any> = any,
  D extends DependencyMap = any,
  M = any,
  Tags extends AttachedTags = AttachedTags,
  Mw extends AttachedToTask = AttachedToTask,
> = TaskDefinition<I, O, D, InjectedMap<D>, O, Tags, Mw>;
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
export type IHookDefinition<D extends DependencyMap = any, On extends ValidOnTarget = any, M = any> = HookDefinition<
  D,
  InjectedMap<D>,
  On
>;
export type ITaskMiddlewareDefinition<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = any,
> = TaskMiddlewareDefinition<C, In, Out, D, InjectedMap<D>>;
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

export type DependencyMapType = DependencyMap;
export type DependencyValueType<D> = Injected<D>;
export type DependencyValuesType<M> = InjectedMap<M>;
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export type ResourceDependency<R = any> = DependencyMap[string];
export type ResourceDependencyValueType<D> = InjectedInResource<D>;
export type ResourceDependencyValuesType<M> = InjectedInResourceMap<M>;
export type EventDependency<P> = EventDependencyCaller<P>;
export type IEventDefinitionFinal<P = any> = IEvent<P>;
export type IErrorDefinitionFinal<Data extends object = DefaultErrorType> = IErrorDefinition<Data>;
export type AsyncContextDefinition<T> = IAsyncContextDefinition<T>;
export type HookOn = ValidOnTarget;

/** A tag that may be attached without `.with(...)`. */
export type ITagWithOptionalConfig<C = any, In = any, Out = any> = ITag<C, In, Out> & {
  readonly $bare?: readonly [true];
};

export type IsUnspecified<T> = Open<T>;
export type ShouldReplaceInput<T> = Open<T>;
export type ShouldReplaceConfig<T> = OpenConfig<T>;
export type ResolveInput<Existing, Proposed> = Open<Existing> extends true ? Proposed : Existing;
export type ResolveConfig<Existing, Proposed> = OpenConfig<Existing> extends true ? Proposed : Existing;

// Contracts
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
export type ExtractContractsFromCollection<
  Items extends readonly unknown[],
  Kind extends ContractKind,
> = FilterContractsKind<Items, Kind>;
export type ExtractInputTypeFromContracts<Items extends readonly unknown[]> = FilterContractsKind<Items, "input">;
export type ExtractOutputTypeFromContracts<Items extends readonly unknown[]> = FilterContractsKind<Items, "output">;
/** @deprecated use `ExtractOutputTypeFromContracts` */
export type ExtractTagsWithNonVoidReturnTypeFromTags<Items extends readonly unknown[]> =
  ExtractOutputTypeFromContracts<Items>;
export type ContractsUnionInputs<Items> = Sides<Items, 0> extends readonly [infer In] ? In : never;
export type ContractsUnionOutputs<Items> = Sides<Items, 1> extends readonly [infer Out] ? Out : never;
export type ContractsIntersectionInputs<Items> = ContractInput<Items>;
export type ContractsIntersectionOutputs<Items> = ContractOutput<Items>;
export type HasInputContracts<Items> = [Sides<Items, 0>] extends [never] ? false : true;
export type HasOutputContracts<Items> = [Sides<Items, 1>] extends [never] ? false : true;
export type HasNeverProperty<T> = HasNever<T>;
export type KeysWithNever<T> = { [K in keyof T]-?: [T[K]] extends [never] ? K : never }[keyof T];
export type IsTuple<T extends readonly unknown[]> = number extends T["length"] ? false : true;
export type IsImpossibleIntersection<T> = HasNever<T>;
export type NonVoid<T> = [T] extends [void] ? never : T;
export type UnknownToNever<T> = IsAny<T> extends true ? T : unknown extends T ? never : T;
/** `never` when the value satisfies the contracts, else the violation. */
export type EnsureInputSatisfiesContracts<Items, Value> =
  HasInputContracts<Items> extends true
    ? [Value] extends [ContractInput<Items>]
      ? Value
      : InputContractViolationError<ContractInput<Items>, Value>
    : Value;
export type EnsureOutputSatisfiesContracts<Items, Value> =
  HasOutputContracts<Items> extends true ? ([Awaited<Value>] extends [OutputBound<Items>] ? Value : never) : Value;
/** @deprecated use `EnsureOutputSatisfiesContracts` */
export type EnsureResponseSatisfiesContracts<Items, Value> = EnsureOutputSatisfiesContracts<Items, Value>;
export type InferInputOrViolationFromContracts<Items, Value = undefined> = ResolveContractInput<
  Value,
  Open<Value>,
  Items,
  Value
>;
export type InferOutputOrViolationFromContracts<Items> =
  HasOutputContracts<Items> extends true ? OutputBound<Items> : unknown;
export type InputArg<Items> = HasInputContracts<Items> extends true ? [input: ContractInput<Items>] : [];
export type InputCollisionGuard<Items> =
  HasNever<ContractInput<Items>> extends true ? InputContractViolationError<ContractInput<Items>> : unknown;

export type { IsAny, RequiredKeys, Simplify, UnionToIntersection };
