/**
 * Type names that applications written against 5.x use in annotations, stated in the terms of this version.
 */
import type { DefaultErrorType, IErrorDefinition } from "../errors/defineError";
import type {
  DependencyMap,
  Injected,
  InjectedInResource,
  InjectedInResourceMap,
  InjectedMap,
} from "../lib/injectable";
import type { IsAny, Open, OpenConfig, RequiredKeys, Simplify, UnionToIntersection } from "../lib/typeLevel";
import type { IAsyncContextDefinition } from "./asyncContext";
import type {
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
import type { ValidOnTarget } from "./hook";
import type { ITag } from "./tag";

export type DependencyMapType = DependencyMap;
export type DependencyValueType<D> = Injected<D>;
export type DependencyValuesType<M> = InjectedMap<M>;
export type ResourceDependency = DependencyMap[string];
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
export type ExtractContractOf<T> = T extends { readonly $contract?: infer C } ? NonNullable<C> : never;
export type ExtractContractsFromCollection<Items> = Items extends readonly (infer Item)[]
  ? ExtractContractOf<Item>
  : never;
export type ExtractInputTypeFromContracts<Items> = ContractInput<Items>;
export type ExtractOutputTypeFromContracts<Items> = ContractOutput<Items>;
/** @deprecated use `ExtractOutputTypeFromContracts` */
export type ExtractTagsWithNonVoidReturnTypeFromTags<Items> = ContractOutput<Items>;
export type FilterContractsKind<Items, Side extends 0 | 1> = Sides<Items, Side>;
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
