import { symbolOptionalDependency } from "./symbols";
import type { IsAny } from "./typeLevel";

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

export type InjectedMap<M> = { [K in keyof M]: Injected<M[K]> };
export type InjectedInResourceMap<M> = { [K in keyof M]: InjectedInResource<M[K]> };

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
