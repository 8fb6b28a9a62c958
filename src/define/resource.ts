import { captureFilePath } from "../lib/filePath";
import {
  optional,
  type DependencyMap,
  type Injectable,
  type InjectedInResourceMap,
  type IOptionalDependency,
} from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolFramework,
  symbolResource,
  symbolResourceForkedFrom,
  symbolResourceWithConfig,
} from "../lib/symbols";
import type { Bare, InferOnly, Open, OpenConfig, With } from "../lib/typeLevel";
import type { IResourceMeta, RegisterableItems, ResourceMiddlewareAttachmentType, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type {
  Bound,
  CarryContracts,
  ContractShape,
  ItemsOf,
  NoContracts,
  OutputBound,
  Resolved,
  ResolveInput,
} from "./contracts";
import { forkDraft, type ResourceForkInfo, type ResourceForkOptions } from "./fork";
import { parseConfig } from "./parseConfig";
import { normalizeThrows, type ThrowsList } from "./throwsList";

type RegisterList = RegisterableItems | readonly RegisterableItems[] | null | undefined;

/** The children of a resource, as written: one, several, or a function of the config. */
export type RegisterSource = RegisterList | ((config: never) => RegisterList);

/** What `.overrides([...])` takes; `null` and `undefined` are skipped. */
export type OverridableElements = { readonly kind: string; readonly id: string } | null | undefined;

/**
 * A service with a lifecycle: one value per run, made by `init`, released by `dispose`.
 *
 * `C` is the config, `V` the promise of the value. The other parameters exist for annotations written against 5.x.
 */
export interface IResource<
  C = void,
  V extends Promise<any> = Promise<any>,
  D = any,
  Context = any,
  M = any,
  Tags = any,
  Mw = any,
> extends Injectable {
  readonly kind: "resource";
  readonly id: string;
  readonly meta: IResourceMeta;
  readonly dependencies?: DependencySource | undefined;
  readonly register: RegisterSource;
  readonly overrides: readonly OverridableElements[];
  readonly middleware: readonly ResourceMiddlewareAttachmentType[];
  readonly tags: readonly TagType[];
  readonly configSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: readonly string[] | undefined;
  readonly [symbolResource]: true;
  readonly [symbolFilePath]: string;
  readonly [symbolResourceForkedFrom]?: ResourceForkInfo;
  readonly [symbolFramework]?: FrameworkPreset;
  init?(config: C, dependencies: any, context: Context): V; // typed by the builder
  dispose?(value: Awaited<V>, config: C, dependencies: any, context: Context): Promise<void>; // as above
  context?(): Context;
  /**
   * The resource with its config, to be registered or run.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: OpenConfig<C> extends true ? () => IResourceWithConfig<C, V> : (config: C) => IResourceWithConfig<C, V>;
  optional(): IOptionalDependency<this>;
  /** The same definition under another id: a separate instance at run time. */
  fork(id: string, options?: ResourceForkOptions): IResource<C, V, D, Context, M, Tags, Mw>;
  readonly $registerable?: Bare<C, "this resource needs a config: use .with(config)">;
  readonly $value?: readonly [C, V];
  readonly $injects?: readonly [Awaited<V>];
  readonly $injectsInResource?: readonly [unknown];
}

/** A resource with its config given. */
export interface IResourceWithConfig<C = any, V extends Promise<any> = any> {
  readonly kind: "resourceWithConfig";
  readonly id: string;
  readonly resource: IResource<C, V>;
  readonly config: C;
  readonly [symbolResourceWithConfig]: true;
  readonly $registerable?: readonly [true];
  readonly $value?: readonly [C, V];
}

/**
 * How a run makes the value of a resource that the framework provides.
 *
 * Such a resource needs no registration: referencing it is enough. Its value is there before anything initialises.
 */
export interface FrameworkPreset {
  /** Computes the value of one run; `app` is the run's `PresetScope`. Absent: an ordinary `init` makes it. */
  readonly value?: ((app: never) => unknown) | undefined;
  /** Adapts the value for one dependant, e.g. a logger with its source. */
  readonly injectFor?: ((value: never, dependantId: string) => unknown) | undefined;
}

export type ExtractResourceConfig<R> = R extends { readonly $value?: readonly [infer C, any] } ? C : never;
export type ExtractResourceValue<R> = R extends { readonly $value?: readonly [any, infer V] } ? Awaited<V> : never;

/** Type state of a resource builder; `value` is the awaited one. */
export interface ResourceShape extends ContractShape {
  config: unknown;
  value: unknown;
  deps: object;
  context: unknown;
}

/** Type state of `r.resource<C>(id)`. */
export interface NewResourceShape<C> extends NoContracts {
  config: C;
  value: any; // unknown until `.init` says
  deps: {};
  context: any; // no `.context` yet
}

/** The config of `init`: generic or schema first, then contracts, then the callback's own annotation. */
export type InitConfig<S extends ResourceShape, C> = [S["needs"]] extends [never]
  ? OpenConfig<S["config"]> extends true
    ? C
    : S["config"]
  : ResolveInput<S["config"], Open<S["config"]>, ItemsOf<S>, C>;

/** What `init` may resolve to. */
export type InitBound<S extends ResourceShape> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? S["value"]
    : any // nothing bounds the value
  : Bound<ItemsOf<S>, S["schema"], S["value"]>;

/** Fluent form of a resource definition; every method returns a new builder. */
export interface ResourceFluentBuilder<S extends ResourceShape = NewResourceShape<void>> {
  readonly id: string;
  /** Adds dependencies; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: S["config"]) => N),
    option?: { override?: false },
  ): ResourceFluentBuilder<With<S, { deps: S["deps"] & N }>>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: S["config"]) => N),
    option: { override: true },
  ): ResourceFluentBuilder<With<S, { deps: N }>>;
  /** Adds children to the app. */
  register(
    items:
      | RegisterableItems
      | readonly RegisterableItems[]
      | ((config: S["config"]) => RegisterableItems | readonly RegisterableItems[] | null | undefined),
    option?: ReplaceOption,
  ): ResourceFluentBuilder<S>;
  /** Definitions that take the place of others with their ids. */
  overrides(items: readonly OverridableElements[], option?: ReplaceOption): ResourceFluentBuilder<S>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option?: { override?: false },
  ): ResourceFluentBuilder<CarryContracts<S, readonly [...S["tags"], ...T], S["middleware"]>>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option: { override: true },
  ): ResourceFluentBuilder<CarryContracts<S, T, S["middleware"]>>;
  /** Adds middleware around `init`; the first one is outermost. */
  middleware<const T extends readonly ResourceMiddlewareAttachmentType[]>(
    middleware: T,
    option?: { override?: false },
  ): ResourceFluentBuilder<CarryContracts<S, S["tags"], readonly [...S["middleware"], ...T]>>;
  middleware<const T extends readonly ResourceMiddlewareAttachmentType[]>(
    middleware: T,
    option: { override: true },
  ): ResourceFluentBuilder<CarryContracts<S, S["tags"], T>>;
  /** Private state, made once per run right before `init` and handed to `init` and `dispose`. */
  context<X>(factory: () => InferOnly<X>): ResourceFluentBuilder<With<S, { context: X }>>;
  /** Validates, and may transform, the config at `.with(...)`. */
  configSchema<C>(schema: Schema<C>): ResourceFluentBuilder<With<S, { config: C }>>;
  /** Validates, and may transform, what `init` resolves to. */
  resultSchema<R>(schema: Schema<R>): ResourceFluentBuilder<With<S, { value: R; schema: true }>>;
  meta(meta: IResourceMeta): ResourceFluentBuilder<S>;
  /** Errors it may throw, as helpers or ids; documentation only. Replaces the list. */
  throws(list: ThrowsList): ResourceFluentBuilder<S>;
  /** Makes the value. Without generic or schema, the config's type is the parameter's annotation. */
  init<C = S["config"], V extends InitBound<S> = InitBound<S>>(
    init: (
      config: InitConfig<S, C>,
      dependencies: InjectedInResourceMap<S["deps"]>,
      context: S["context"],
    ) => Promise<Resolved<S, V>>,
  ): ResourceFluentBuilder<With<S, { config: InitConfig<S, C>; value: S["schema"] extends true ? S["value"] : V }>>;
  /** Releases the value; called in reverse order of initialisation. */
  dispose(
    dispose: (
      value: S["value"],
      config: S["config"],
      dependencies: InjectedInResourceMap<S["deps"]>,
      context: S["context"],
    ) => Promise<void>,
  ): ResourceFluentBuilder<S>;
  build(): [S["gives"]] extends [never]
    ? IResource<S["config"], Promise<S["value"]>>
    : // Overrides are held to the contracts.
      IResource<S["config"], Promise<S["value"]>, any, any, any, S["tags"], S["middleware"]>;
}

/** A resource as `resource({ ... })` takes it. */
export interface IResourceDefinition<
  C = any,
  V extends Promise<any> = any,
  D extends DependencyMap = any,
  Context = any,
  Tags extends readonly TagType[] = readonly TagType[],
  Mw extends readonly ResourceMiddlewareAttachmentType[] = readonly ResourceMiddlewareAttachmentType[],
> {
  readonly id: string;
  readonly dependencies?: D | ((config: C) => D) | undefined;
  readonly register?:
    | readonly RegisterableItems[]
    | ((config: C) => RegisterableItems | readonly RegisterableItems[] | null | undefined)
    | undefined;
  readonly overrides?: readonly OverridableElements[] | undefined;
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: IResourceMeta | undefined;
  readonly configSchema?: Schema<C> | undefined;
  readonly resultSchema?: Schema<Awaited<V>> | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly context?: (() => InferOnly<Context>) | undefined;
  init?(
    config: ResolveInput<C, Open<C>, readonly [...Tags, ...Mw], C>,
    dependencies: InjectedInResourceMap<D>,
    context: Context,
  ): InferOnly<V> & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
  dispose?(value: Awaited<V>, config: C, dependencies: InjectedInResourceMap<D>, context: Context): Promise<void>;
}

/** The `init` of a resource. */
export type ResourceInitFn<C, V extends Promise<any>, D extends DependencyMap, Context> = (
  config: C,
  dependencies: InjectedInResourceMap<D>,
  context: Context,
) => V;

/** Everything a resource is made from, without its types. */
export interface ResourceDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly register?: RegisterSource;
  readonly overrides?: readonly OverridableElements[] | undefined;
  readonly middleware?: readonly ResourceMiddlewareAttachmentType[] | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: IResourceMeta | undefined;
  readonly configSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly context?: (() => unknown) | undefined;
  readonly init?: ((config: any, dependencies: any, context: any) => Promise<any>) | undefined; // typed by the builder
  readonly dispose?: ((value: any, config: any, dependencies: any, context: any) => Promise<void>) | undefined; // as above
  readonly [symbolFramework]?: FrameworkPreset | undefined;
  readonly [symbolResourceForkedFrom]?: ResourceForkInfo | undefined;
}

export const isResource = (value: unknown): value is IResource<any, any> => hasBrand(value, symbolResource);
export const isResourceWithConfig = (value: unknown): value is IResourceWithConfig =>
  hasBrand(value, symbolResourceWithConfig);

/** Starts a resource. */
export function resourceBuilder<C = void>(id: string): ResourceFluentBuilder<NewResourceShape<C>> {
  assertId("resource", id);
  return resourceBuilderOf({ id }, captureFilePath(resourceBuilder));
}

/** Makes a resource from a definition object; everything is inferred from it. */
export function defineResource<
  C = void,
  V extends Promise<any> = Promise<any>,
  D extends DependencyMap = {},
  Context = any,
  M = any,
  const Tags extends readonly TagType[] = [],
  const Mw extends readonly ResourceMiddlewareAttachmentType[] = [],
>(definition: IResourceDefinition<C, V, D, Context, Tags, Mw>): IResource<C, V, D, Context, M, Tags, Mw> {
  assertId("resource", definition.id);
  return createResource(definition, captureFilePath(defineResource)) as IResource<C, V, D, Context, M, Tags, Mw>;
}

/** A class, as the builder of tasks: an application makes several builders per resource. */
class ResourceBuilder {
  readonly id: string;
  readonly #draft: ResourceDraft;
  readonly #filePath: () => string;

  constructor(draft: ResourceDraft, filePath: () => string) {
    this.id = draft.id;
    this.#draft = draft;
    this.#filePath = filePath;
    Object.freeze(this);
  }

  #with(patch: Partial<ResourceDraft>): ResourceBuilder {
    return new ResourceBuilder({ ...this.#draft, ...patch }, this.#filePath);
  }

  dependencies(added: DependencySource, option?: ReplaceOption): ResourceBuilder {
    assertDependencies("Resource", this.id, added);
    return this.#with({ dependencies: mergeDependencies(this.#draft.dependencies, added, option) });
  }

  register(items: RegisterSource, option?: ReplaceOption): ResourceBuilder {
    return this.#with({ register: mergeRegister(this.#draft.register, items, option) });
  }

  overrides(items: readonly OverridableElements[], option?: ReplaceOption): ResourceBuilder {
    assertList("Resource", this.id, "overrides", items);
    return this.#with({ overrides: appendTo(this.#draft.overrides, items, option) });
  }

  tags(tags: readonly TagType[], option?: ReplaceOption): ResourceBuilder {
    assertList("Resource", this.id, "tags", tags);
    return this.#with({ tags: appendTo(this.#draft.tags, tags, option) });
  }

  middleware(middleware: readonly ResourceMiddlewareAttachmentType[], option?: ReplaceOption): ResourceBuilder {
    assertList("Resource", this.id, "middleware", middleware);
    return this.#with({ middleware: appendTo(this.#draft.middleware, middleware, option) });
  }

  context(context: () => unknown): ResourceBuilder {
    assertFunction("Resource", this.id, "context", context);
    return this.#with({ context });
  }

  configSchema(configSchema: Schema): ResourceBuilder {
    return this.#with({ configSchema });
  }

  resultSchema(resultSchema: Schema): ResourceBuilder {
    return this.#with({ resultSchema });
  }

  meta(meta: IResourceMeta): ResourceBuilder {
    return this.#with({ meta });
  }

  throws(throws: ThrowsList): ResourceBuilder {
    assertList("Resource", this.id, "throws", throws);
    return this.#with({ throws });
  }

  init(init: NonNullable<ResourceDraft["init"]>): ResourceBuilder {
    assertFunction("Resource", this.id, "init", init);
    return this.#with({ init });
  }

  dispose(dispose: NonNullable<ResourceDraft["dispose"]>): ResourceBuilder {
    assertFunction("Resource", this.id, "dispose", dispose);
    return this.#with({ dispose });
  }

  build(): IResource<any, any> {
    return createResource(this.#draft, this.#filePath);
  }
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export const resourceBuilderOf = (draft: ResourceDraft, filePath: () => string): ResourceFluentBuilder<any> =>
  new ResourceBuilder(draft, filePath); // the shape exists only for the checker

/** @internal */
export function createResource(draft: ResourceDraft, filePath: () => string): IResource<any, any> {
  const { id, register = [], overrides = [], middleware = [], tags = [], meta = {} } = draft;
  assertSchema("Resource", id, "configSchema", draft.configSchema);
  assertSchema("Resource", id, "resultSchema", draft.resultSchema);
  return Object.freeze({
    kind: "resource",
    id,
    dependencies: draft.dependencies,
    register,
    overrides,
    middleware,
    tags,
    meta,
    configSchema: draft.configSchema,
    resultSchema: draft.resultSchema,
    throws: normalizeThrows("resource", id, draft.throws),
    context: draft.context,
    init: draft.init,
    dispose: draft.dispose,
    [symbolResource]: true,
    get [symbolFilePath]() {
      return filePath();
    },
    ...(draft[symbolFramework] && { [symbolFramework]: draft[symbolFramework] }),
    ...(draft[symbolResourceForkedFrom] && { [symbolResourceForkedFrom]: draft[symbolResourceForkedFrom] }),
    with: withConfig,
    optional,
    fork: forkResource,
  }) as unknown as IResource<any, any>; // as typed by the caller
}

/** Follows `this`, so that it works on overrides. */
function withConfig(this: IResource<any, any>, config?: unknown): IResourceWithConfig {
  return Object.freeze({
    kind: "resourceWithConfig" as const,
    id: this.id,
    resource: this,
    config: parseConfig(this.configSchema, config, "Resource config", this.id),
    [symbolResourceWithConfig]: true as const,
  });
}

/** Follows `this` as well: a fork of an override is a fork of what it overrides with. */
function forkResource(this: IResource<any, any>, newId: string, options?: ResourceForkOptions): IResource<any, any> {
  assertId("resource", newId);
  const draft = forkDraft(this as ResourceDraft, newId, options, captureFilePath(forkResource));
  return createResource(draft, () => this[symbolFilePath]);
}

function mergeRegister(existing: RegisterSource, added: RegisterSource, option?: ReplaceOption): RegisterSource {
  if (option?.override === true || existing === undefined) {
    return typeof added === "function" ? added : listItems(added);
  }
  if (typeof existing !== "function" && typeof added !== "function")
    return [...listItems(existing), ...listItems(added)];
  return (config: never) => [...resolveRegister(existing, config), ...resolveRegister(added, config)];
}

/** The items behind any form of `register`. */
export function resolveRegister(source: RegisterSource, config: unknown): readonly RegisterableItems[] {
  return listItems(typeof source === "function" ? source(config as never) : source);
}

function listItems(items: RegisterList): readonly RegisterableItems[] {
  if (items === null || items === undefined) return [];
  return Array.isArray(items) ? [...(items as readonly RegisterableItems[])] : [items as RegisterableItems];
}
