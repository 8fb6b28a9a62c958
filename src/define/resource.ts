import type { Injectable, InjectedInResourceOf, IOptionalDependency } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolFramework,
  symbolResource,
  symbolResourceForkedFrom,
  symbolResourceWithConfig,
} from "../lib/symbols";
import type { Bare, OpenConfig, Unaliased } from "../lib/typeLevel";
import type { IResourceMeta, RegisterableItem, ResourceMiddlewareAttachmentType, TagType } from "./attachments";
import { hasBrand } from "./brand";
import type { ListedDependencies } from "./builderLists";
import type { ResourceForkInfo, ResourceForkOptions } from "./fork";

/** Anything a resource can register. */
export type RegisterableItems = ResourceWithConfig<any, any> | RegisterableItem;

/** `RegisterableItems` as no union, so that every version of TypeScript says what does not fit, and not which member it is not. */
export interface RegisterInput {
  readonly kind: RegisterableItems["kind"];
  readonly id: string;
  readonly $registerable?: readonly [true];
}

export type RegisterList = RegisterInput | readonly RegisterInput[] | null | undefined;

/** The children of a resource, as written: one, several, or a function of the config. */
export type RegisterSource = RegisterList | ((config: never) => RegisterList);

/** The children of a resource, as its definition shows them. */
export type RegisterListing = RegisterableItems[] | ((config: any) => RegisterableItems[]); // of whatever config

/** What `.overrides([...])` takes; `null` and `undefined` are skipped. */
export type OverridableElements = OverridableItem | null | undefined;

interface OverridableItem {
  readonly kind: "task" | "resource" | "resourceWithConfig" | "hook" | "taskMiddleware" | "resourceMiddleware";
  readonly id: string;
}

/**
 * A service with a lifecycle: one value per run, made by `init`, released by `dispose`.
 *
 * `C` is the config, `V` the promise of the value, `D` what `init` receives, as in `Task`.
 */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- see `Task`
export interface Resource<C, V extends Promise<any>, D> extends Injectable {
  readonly kind: "resource";
  readonly id: string;
  readonly meta: IResourceMeta;
  readonly dependencies?: ListedDependencies | undefined;
  readonly register: RegisterListing;
  readonly overrides: OverridableElements[];
  readonly middleware: ResourceMiddlewareAttachmentType[];
  readonly tags: TagType[];
  readonly configSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: readonly string[] | undefined;
  readonly [symbolResource]: true;
  readonly [symbolFilePath]: string;
  readonly [symbolResourceForkedFrom]?: ResourceForkInfo;
  readonly [symbolFramework]?: FrameworkPreset;
  init?(config: C, dependencies: any, context: any): V; // typed by the builder
  dispose?(value: Awaited<V>, config: C, dependencies: any, context: any): Promise<void>; // as above
  context?(): any; // as above
  /**
   * The resource with its config, to be registered or run.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: OpenConfig<C> extends true ? () => ResourceWithConfig<C, V> : (config: C) => ResourceWithConfig<C, V>;
  optional(): IOptionalDependency<this>;
  /** The same definition under another id: a separate instance at run time. */
  fork(id: string, options?: ResourceForkOptions): this;
  readonly $registerable?: Bare<C, "this resource needs a config: use .with(config)">;
  readonly $value?: readonly [C, V];
  readonly $injects?: readonly [Awaited<V>];
  readonly $injectsInResource?: readonly [unknown];
}

/* eslint-disable @typescript-eslint/no-unused-vars -- source compatibility, see below */
/** A resource, with the type parameters of 5.x; context, meta, tags and middleware are no longer part of the type. */
export type IResource<
  C = void,
  V extends Promise<any> = Promise<any>,
  D = {},
  Context = any,
  M = any,
  Tags = any,
  Mw = any,
> = Unaliased<Resource<C, V, InjectedInResourceOf<D>>>;

/** A resource with its config given, with the type parameters of 5.x. */
export type IResourceWithConfig<
  C = any,
  V extends Promise<any> = any,
  D = {},
  Context = any,
  M = any,
  Tags = any,
  Mw = any,
> = Unaliased<ResourceWithConfig<C, V>>;
/* eslint-enable @typescript-eslint/no-unused-vars */

/** A resource with its config given. */
export interface ResourceWithConfig<C, V extends Promise<any>> {
  readonly kind: "resourceWithConfig";
  readonly id: string;
  readonly resource: IResource<C, V>;
  readonly config: C;
  readonly [symbolResourceWithConfig]: true;
  readonly $value?: readonly [C, V];
  readonly $injectable?: readonly ["depend on the resource itself: its config is given where it is registered"];
}

/** Takes the place of `D` in a resource with a private context or an output contract: overrides are held to these too. */
export interface Within<D, Context, Value, Tags> {
  readonly deps: D;
  readonly context: Context;
  /** What dependants were promised. */
  readonly value: Value;
  /** What checks the value of each `init`, as the tag of tunnels does. */
  readonly checks: Tags;
}

/**
 * How a run makes the value of a resource that the framework provides.
 *
 * Such a resource needs no registration: referencing it is enough. Its value is there before anything initialises.
 */
export interface FrameworkPreset {
  /** Computes the value of one run; `app` is the run's `PresetScope`. Absent: an ordinary `init` makes it. */
  readonly value?: ((app: never) => unknown) | undefined;
  /** Computes it as the run boots, for what it does to the run; others are computed when they are first read. */
  readonly atBoot?: boolean | undefined;
  /** Adapts the value for one dependant, e.g. a logger with its source. */
  readonly injectFor?: ((value: never, dependantId: string) => unknown) | undefined;
}

/** The config of a resource. */
export type ExtractResourceConfig<R> = R extends { readonly $value?: readonly [infer C, any] } ? C : never;
/** The value of a resource, as its `init` resolves to it. */
export type ExtractResourceValue<R> = R extends { readonly $value?: readonly [any, infer V] } ? Awaited<V> : never;

export const isResource = (value: unknown): value is IResource<any, any> => hasBrand(value, symbolResource);
export const isResourceWithConfig = (value: unknown): value is IResourceWithConfig =>
  hasBrand(value, symbolResourceWithConfig);
