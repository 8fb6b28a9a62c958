import { symbolOptionalDependency } from "./symbols";
import type { InferOnly, IsAny } from "./typeLevel";

/**
 * What every dependency states about itself, at type level only.
 *
 * Each concept fills the slots in its own file, so no concept has to know the others.
 * Slots are one-tuples, so that `undefined` survives `infer`.
 */
export interface Injectable {
  /** What tasks, hooks and middleware receive. */
  readonly $injects?: readonly [unknown];
  /** What resources receive, where it differs; `[unknown]` means the same. */
  readonly $injectsInResource?: readonly [unknown];
  /** `[true]` unless nothing can depend on it; then a sentence, for the type error. */
  readonly $injectable?: readonly [true];
}

/**
 * What every builder states of itself, at type level only: the type error where a definition belongs then names the
 * missing `.build()`.
 */
export interface Unbuilt {
  readonly kind: "this is a builder: finish it with .build()";
  readonly $injectable?: readonly ["this is a builder: finish it with .build()"];
  readonly $registerable?: readonly ["this is a builder: finish it with .build()"];
}

/** Keys to definitions, as written in `.dependencies({ ... })`. */
export type DependencyMap = Record<string, Injectable>;

/** The value a task, hook or middleware receives for one dependency. */
export type Injected<D> =
  IsAny<D> extends true ? any : D extends { readonly $injects?: readonly [infer T] } ? T : never; // `any` stays `any`: a copied fragment may name something undefined

/** The value a resource receives for one dependency. */
export type InjectedInResource<D> =
  IsAny<D> extends true
    ? any // as above
    : D extends { readonly $injectsInResource?: readonly [infer T] }
      ? unknown extends T
        ? Injected<D>
        : T
      : never;

/** What a body receives for a map of dependencies. */
export type InjectedMap<M> = { [K in keyof M]: Injected<M[K]> };
/** As `InjectedMap`, for annotations: `any` stays `any`. Without a name of its own in what editors show. */
export type InjectedOf<M> = IsAny<M> extends true ? any : { [K in keyof M]: Injected<M[K]> }; // `any` stays `any`
/** As `InjectedOf`, in a resource. */
export type InjectedInResourceOf<M> = IsAny<M> extends true ? any : { [K in keyof M]: InjectedInResource<M[K]> }; // as above
/** What the `init` of a resource receives for a map of dependencies. */
export type InjectedInResourceMap<M> = { [K in keyof M]: InjectedInResource<M[K]> };

/**
 * What a definition object lists as dependencies. `D` is `never` where no type argument is given for it and nothing could
 * be inferred.
 */
export type Listed<D, Config = void> = [D] extends [never]
  ? DependencyMap | ((config: Config) => DependencyMap)
  : D | ((config: Config) => D);

/**
 * What a definition object's body receives, `Received` being what `D` stands for.
 *
 * Without `D` nothing was listed; unless type arguments were written out, since TypeScript then infers none of the
 * others. The id, which is otherwise always inferred, is `any` in that case, and what the body receives is `any` too.
 */
export type ReceivedBy<D, Id, Received> = [D] extends [never] ? (unknown extends Id ? any : {}) : Received;

/** What a definition object's body returns: inferred from it, unless it was written out. `Id` as in `ReceivedBy`. */
export type ReturnedBy<T, Id> = unknown extends Id ? T : InferOnly<T>;

/** A dependency that is `undefined` where it is not registered. */
export interface IOptionalDependency<D = any> extends Injectable {
  readonly inner: D;
  readonly [symbolOptionalDependency]: true;
  readonly $injects?: readonly [Injected<D> | undefined];
  readonly $injectsInResource?: readonly [InjectedInResource<D> | undefined];
}

/** The `.optional()` of every concept that has one; a method, so that it follows `this`. */
export function optional<D>(this: D): IOptionalDependency<D> {
  return Object.freeze({ inner: this, [symbolOptionalDependency]: true as const });
}

export function isOptionalDependency(value: unknown): value is IOptionalDependency<unknown> {
  return typeof value === "object" && value !== null && symbolOptionalDependency in value;
}
