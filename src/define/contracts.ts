import type { IsAny, Open, Resolution, Simplify, UnionToIntersection } from "../lib/typeLevel";

/**
 * What a tag or middleware demands of the definitions it is attached to, at type level only:
 * the input (a resource's config) and the output (its value).
 */
export interface Contract<In = any, Out = any> {
  readonly $contract?: readonly [In, Out];
}

/** `void`, `unknown` and `any` state nothing. */
type Stated<T> = IsAny<T> extends true ? never : [T] extends [void] ? never : unknown extends T ? never : T;

/**
 * One side (0 input, 1 output) of every carrier, each in a box of its own.
 * Boxes keep union payloads from distributing and a conflict visible as `never` inside.
 */
export type Sides<Items, Side extends 0 | 1> = Items extends readonly (infer Carrier)[]
  ? Carrier extends { readonly $contract?: infer Stating }
    ? NonNullable<Stating> extends readonly [infer In, infer Out]
      ? [Stated<Side extends 0 ? In : Out>] extends [never]
        ? never
        : [Side extends 0 ? In : Out]
      : never
    : never
  : never;

type Unbox<Boxes> = [Boxes] extends [never]
  ? unknown
  : Simplify<UnionToIntersection<Boxes> extends infer All ? { [K in keyof All]: All[K] }[keyof All & "0"] : never>;

/** The intersection of all input contracts among the items; `unknown` when there is none. */
export type ContractInput<Items> = Unbox<Sides<Items, 0>>;
/** The intersection of all output contracts among the items; `unknown` when there is none. */
export type ContractOutput<Items> = Unbox<Sides<Items, 1>>;

/** Whether a type, or one of its properties, is impossible. */
export type HasNever<T> = [T] extends [never]
  ? true
  : T extends object
    ? true extends { [K in keyof T]-?: [T[K]] extends [never] ? true : never }[keyof T]
      ? true
      : false
    : false;

/** Takes the place of an input that breaks a contract, so that the type error says so. */
export interface InputContractViolationError<Expected = unknown, Received = unknown> {
  readonly message: "Value does not satisfy all input contracts";
  readonly expected: Expected;
  readonly received: Received;
}

/** Takes the place of an output no value can satisfy. */
export interface OutputContractViolationError<Expected = unknown, Received = unknown> {
  readonly message: "Value does not satisfy all output contracts";
  readonly expected: Expected;
  readonly received: Received;
}

/**
 * The parameter of `run` or `init`.
 *
 * `Known` is what schema or generics state, `Annotated` what the callback's own annotation says.
 */
export type ResolveInput<Known, IsOpen, Items, Annotated> = [Sides<Items, 0>] extends [never]
  ? IsOpen extends true
    ? Annotated
    : Known
  : HasNever<ContractInput<Items>> extends true
    ? InputContractViolationError<ContractInput<Items>, Known>
    : IsOpen extends true
      ? [unknown] extends [Annotated]
        ? ContractInput<Items>
        : [Annotated] extends [undefined | void]
          ? ContractInput<Items>
          : [Annotated] extends [ContractInput<Items>]
            ? Annotated
            : InputContractViolationError<ContractInput<Items>, Annotated>
      : [Known] extends [ContractInput<Items>]
        ? Known
        : InputContractViolationError<ContractInput<Items>, Known>;

/** What an output may be: anything without output contracts. */
export type OutputBound<Items> = [Sides<Items, 1>] extends [never]
  ? any // no contract bounds the output
  : HasNever<ContractOutput<Items>> extends true
    ? OutputContractViolationError<ContractOutput<Items>>
    : ContractOutput<Items>;

/** As `OutputBound`, with the type a result schema states, when there is one. */
export type Bound<Items, HasSchema, Known> = HasSchema extends true
  ? [Sides<Items, 1>] extends [never]
    ? Known
    : Known & OutputBound<Items>
  : OutputBound<Items>;

/**
 * What `run` or `init` resolves to, as a parameter type: with a bound, what is returned is read as the bound says, so
 * that `mode: "client"` stays what it is. Without one it is read as in any other function.
 */
export type Resolved<S extends ContractShape, O> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? O
    : // `InferOnly<O>`, written out: every task pays for it
      [O] extends [unknown]
      ? unknown
      : O
  : O;

/** Decides on an output by its own type: given that as `output`, `problem` has the properties it lacks, or is `never`. */
export interface OutputCheck {
  readonly output: unknown;
  readonly problem: unknown;
}

/** What a tag demands of the outputs that fit its contract, at type level only. */
export interface Checking<Check extends OutputCheck> {
  readonly $check?: Check;
}

/** What these outputs lack by the checks of the items. */
export type ProblemOf<Items, O> = Items extends readonly (infer Carrier)[]
  ? Carrier extends { readonly $check?: infer Check }
    ? NonNullable<Check> extends OutputCheck
      ? (NonNullable<Check> & { readonly output: O })["problem"]
      : never
    : never
  : never;

/** What `init` has to resolve to besides what it does: nothing, unless a check finds a problem. */
export type Demanded<S extends ContractShape, O> = [S["gives"]] extends [never] ? unknown : DemandedBy<S["tags"], O>;

/** As `Demanded`, by these tags. */
export type DemandedBy<Tags, O> = [ProblemOf<Tags, O>] extends [never] ? unknown : ProblemOf<Tags, O>;

/**
 * The value of an override: what dependants of the base were promised.
 *
 * A contract of optional keys alone, as a tunnel's, takes its place: which of them are there is up to each `init`.
 */
export type ValueUnder<Value, Items> = [Sides<Items, 1>] extends [never]
  ? Value
  : {} extends ContractOutput<Items>
    ? ContractOutput<Items>
    : Value;

/** The tags that check the value of an override as well: those of a contract that takes the place of the value. */
export type ChecksUnder<S extends ContractShape> = [S["gives"]] extends [never]
  ? readonly []
  : {} extends ContractOutput<ItemsOf<S>>
    ? S["tags"]
    : readonly [];

/** What tags, middleware and a result schema state about a task or resource; the builders of both carry it. */
export interface ContractShape {
  tags: readonly Contract[];
  middleware: readonly Contract[];
  /** Boxed contract sides of tags and middleware; `never` while there are none. */
  needs: unknown;
  gives: unknown;
  /** Whether a result schema, or what is overridden, fixes the output. */
  schema: boolean;
}

/** Neither tags nor middleware nor a result schema yet. */
export interface NoContracts extends ContractShape {
  tags: readonly [];
  middleware: readonly [];
  needs: never;
  gives: never;
  schema: false;
}

/** Everything that states contracts. */
export type ItemsOf<S extends ContractShape> = readonly [...S["tags"], ...S["middleware"]];

/** The shape of these tags and middleware, their contracts collected once. */
export interface Carrying<
  Tags extends readonly Contract[],
  Middleware extends readonly Contract[],
  HasSchema extends boolean = false,
> extends ContractShape {
  tags: Tags;
  middleware: Middleware;
  needs: Sides<readonly [...Tags, ...Middleware], 0>;
  gives: Sides<readonly [...Tags, ...Middleware], 1>;
  schema: HasSchema;
}

/** A shape whose output is fixed. */
export interface FixedOutput<S extends ContractShape> extends ContractShape {
  tags: S["tags"];
  middleware: S["middleware"];
  needs: S["needs"];
  gives: S["gives"];
  schema: true;
}

/** The shape of an override: its output is fixed, and these tags check it. */
export interface CheckedBy<Tags extends readonly Contract[]> extends ContractShape {
  tags: Tags;
  middleware: readonly [];
  needs: never;
  gives: Sides<Tags, 1>;
  schema: true;
}

/** The input of `run`: schema first, then contracts, then the callback's own annotation. */
export type RunInput<I, S extends ContractShape, Annotated> = [S["needs"]] extends [never]
  ? [I] extends [undefined | void]
    ? Annotated
    : I
  : ResolveInput<I, Open<I>, ItemsOf<S>, Annotated>;

/** What `run` may resolve to. */
export type RunBound<O, S extends ContractShape> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? Resolution<O>
    : any // nothing bounds the result
  : Bound<ItemsOf<S>, S["schema"], Resolution<O>>;
