/** `true` only for `any`. */
export type IsAny<T> = 0 extends 1 & T ? true : false;

/** `true` only for `unknown`. */
export type IsUnknown<T> = IsAny<T> extends true ? false : unknown extends T ? true : false;

/** `true` only for `never`. */
export type IsNever<T> = [T] extends [never] ? true : false;

/** `T`, in a place that nothing is inferred from. TypeScript has `NoInfer` for it since 5.4 only. */
export type NotInferred<T> = [T][T extends any ? 0 : never]; // any type is as good here

/** Flattens intersections so that hovers read as one object; functions stay as they are. */
export type Simplify<T> = T extends (...args: never[]) => unknown ? T : { [K in keyof T]: T[K] } & {};

/** Keys that cannot be left out. */
export type RequiredKeys<T> = T extends object
  ? { [K in keyof T]-?: {} extends Pick<T, K> ? never : K }[keyof T]
  : never;

/** `A | B` to `A & B`. */
export type UnionToIntersection<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/** A value or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** `T` under its own name: as an alias of it, an editor would show all parameters of the alias, defaults included. */
export type Unaliased<T> = { type: T }["type"];

/** What a promise resolves to. Cheaper than `Awaited`, which looks at every `then`. */
export type Resolution<P> = P extends Promise<infer T> ? T : never;

/**
 * `T` for inference alone: what a callback returns gives it, and is otherwise unbounded.
 *
 * As the type parameter itself, TypeScript would take the candidate as the context of the functions inside it, and
 * `() => false` would keep the type `() => false`. The condition always holds: where `T` stays generic as well, so that
 * anything can be returned in a function of the application that is generic itself.
 */
export type InferOnly<T> = [T] extends [unknown] ? unknown : T;

/** No input was given for this slot: `undefined`, `void` or `any`. Never distributes. */
export type Open<T> = [T] extends [undefined | void] ? true : false;

/** As `Open`, but `any` counts as given: the rule of resource configs. */
export type OpenConfig<T> = IsAny<T> extends true ? false : Open<T>;

/**
 * `[true]` when a definition may be used without `.with(...)`, otherwise a sentence.
 * The sentence is what a developer reads in the type error.
 */
export type Bare<Config, Message extends string> =
  IsAny<Config> extends true
    ? readonly [true]
    : [unknown] extends [Config]
      ? readonly [true]
      : [Config] extends [undefined | void]
        ? readonly [true]
        : [RequiredKeys<Config>] extends [never]
          ? readonly [true]
          : readonly [Message];
