import { captureFilePath, withFilePath } from "../lib/filePath";
import {
  optional,
  type DependencyMap,
  type Injectable,
  type InjectedInResource,
  type InjectedInResourceMap,
  type InjectedInResourceOf,
  type IOptionalDependency,
  type Listed,
  type ReceivedBy,
  type ReturnedBy,
  type Unbuilt,
} from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolFramework,
  symbolResource,
  symbolResourceForkedFrom,
  symbolResourceWithConfig,
} from "../lib/symbols";
import type { Bare, InferOnly, IsAny, Open, OpenConfig, Resolution, Unaliased } from "../lib/typeLevel";
import type {
  GivenMeta,
  IResourceMeta,
  RegisterableItem,
  ResourceMiddlewareAttachmentType,
  TagType,
} from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import {
  appendTo,
  mergeDependencies,
  type DependencySource,
  type ListedDependencies,
  type ReplaceOption,
} from "./builderLists";
import type {
  Bound,
  Carrying,
  ChecksUnder,
  ContractShape,
  FixedOutput,
  ItemsOf,
  NoContracts,
  OutputBound,
  Demanded,
  Resolved,
  ResolveInput,
  ValueUnder,
} from "./contracts";
import { forkDraft, type ResourceForkInfo, type ResourceForkOptions } from "./fork";
import { parseConfig } from "./parseConfig";
import { normalizeThrows, type ThrowsList } from "./throwsList";

/** Anything a resource can register. In this order, what fits neither is reported as no item. */
export type RegisterableItems = ResourceWithConfig<any, any> | RegisterableItem;

type RegisterList = RegisterableItems | readonly RegisterableItems[] | null | undefined;

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

/** What overrides are held to: context and contracts only where there are any. */
export type HeldIn<V, D, X, S extends ContractShape> = [IsAny<X>, S["gives"]] extends [true, never]
  ? D
  : Within<D, X, ValueUnder<Resolution<V>, ItemsOf<S>>, ChecksUnder<S>>;

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

/** The config of `init`: generic or schema first, then contracts, then the callback's own annotation. */
export type InitConfig<C, S extends ContractShape, Annotated> = [S["needs"]] extends [never]
  ? OpenConfig<C> extends true
    ? Annotated
    : C
  : ResolveInput<C, Open<C>, ItemsOf<S>, Annotated>;

/** What `init` may resolve to. */
export type InitBound<V, S extends ContractShape> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? Resolution<V>
    : any // nothing bounds the value
  : Bound<ItemsOf<S>, S["schema"], Resolution<V>>;

/**
 * Fluent form of a resource definition; every method returns a new builder.
 *
 * `C` is the config, `V` the promise of the value, `D` what `init` receives, `X` its private context, `S` what tags,
 * middleware and a result schema state about config and value.
 */
export interface ResourceBuilder<
  C,
  V extends Promise<any>,
  D extends object,
  X,
  S extends ContractShape,
> extends Unbuilt {
  readonly id: string;
  /** Adds dependencies; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option?: { override?: false },
  ): ResourceBuilder<C, V, D & { [K in keyof N]: InjectedInResource<N[K]> }, X, S>;
  dependencies<N extends DependencyMap>(
    dependencies: N | ((config: C) => N),
    option: { override: true },
  ): ResourceBuilder<C, V, { [K in keyof N]: InjectedInResource<N[K]> }, X, S>;
  /** Adds children to the app. */
  register(
    items:
      | RegisterableItems
      | readonly RegisterableItems[]
      | ((config: C) => RegisterableItems | readonly RegisterableItems[] | null | undefined),
    option?: ReplaceOption,
  ): ResourceBuilder<C, V, D, X, S>;
  /** Definitions that take the place of others with their ids. */
  overrides(items: readonly OverridableElements[], option?: ReplaceOption): ResourceBuilder<C, V, D, X, S>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option?: { override?: false },
  ): ResourceBuilder<C, V, D, X, Carrying<readonly [...S["tags"], ...T], S["middleware"], S["schema"]>>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option: { override: true },
  ): ResourceBuilder<C, V, D, X, Carrying<T, S["middleware"], S["schema"]>>;
  /** Adds middleware around `init`; the first one is outermost. */
  middleware<const T extends readonly ResourceMiddlewareAttachmentType[]>(
    middleware: T,
    option?: { override?: false },
  ): ResourceBuilder<C, V, D, X, Carrying<S["tags"], readonly [...S["middleware"], ...T], S["schema"]>>;
  middleware<const T extends readonly ResourceMiddlewareAttachmentType[]>(
    middleware: T,
    option: { override: true },
  ): ResourceBuilder<C, V, D, X, Carrying<S["tags"], T, S["schema"]>>;
  /** Private state, made once per run right before `init` and handed to `init` and `dispose`. */
  context<N>(factory: () => InferOnly<N>): ResourceBuilder<C, V, D, N, S>;
  /** Validates, and may transform, the config at `.with(...)`. */
  configSchema<N>(schema: Schema<N>): ResourceBuilder<N, V, D, X, S>;
  /** Validates, and may transform, what `init` resolves to. */
  resultSchema<R>(schema: Schema<R>): ResourceBuilder<C, Promise<R>, D, X, FixedOutput<S>>;
  meta<M extends IResourceMeta>(meta: M): ResourceBuilder<C, V, D, X, S>;
  /** Errors it may throw, as helpers or ids; documentation only. Replaces the list. */
  throws(list: ThrowsList): ResourceBuilder<C, V, D, X, S>;
  /** Makes the value. Without generic or schema, the config's type is the parameter's annotation. */
  init<A = C, R extends InitBound<V, S> = InitBound<V, S>>(
    init: (config: InitConfig<C, S, A>, dependencies: D, context: X) => Promise<Resolved<S, R> & Demanded<S, R>>,
  ): ResourceBuilder<InitConfig<C, S, A>, S["schema"] extends true ? V : Promise<R>, D, X, S>;
  /** Releases the value; called in reverse order of initialisation. */
  dispose(
    dispose: (value: Awaited<V>, config: C, dependencies: D, context: X) => Promise<void>,
  ): ResourceBuilder<C, V, D, X, S>;
  build(): Resource<C, V, HeldIn<V, D, X, S>>;
}

/** A resource builder that knows its config at most. */
export type NewResourceBuilder<C> = ResourceBuilder<C, Promise<any>, {}, any, NoContracts>; // any value and context until stated

/** A resource as `resource({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received, `R` is what `init` returns. */
export interface ResourceDefinition<
  C,
  V extends Promise<any>,
  D,
  Deps,
  R,
  Context,
  Tags extends readonly TagType[],
  Mw extends readonly ResourceMiddlewareAttachmentType[],
  Id extends string = string,
> {
  readonly id: Id;
  readonly dependencies?: Listed<D, C> | undefined;
  readonly register?:
    | readonly RegisterableItems[]
    | ((config: C) => RegisterableItems | readonly RegisterableItems[] | null | undefined)
    | undefined;
  readonly overrides?: readonly OverridableElements[] | undefined;
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: GivenMeta<IResourceMeta> | undefined;
  readonly configSchema?: Schema<C> | undefined;
  readonly resultSchema?: Schema<Awaited<V>> | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly context?: (() => InferOnly<Context>) | undefined;
  init?(
    config: ResolveInput<C, Open<C>, readonly [...Tags, ...Mw], C>,
    dependencies: Deps,
    context: Context,
  ): R & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
  dispose?(value: Awaited<V>, config: C, dependencies: Deps, context: Context): Promise<void>;
}

/** Everything a resource is made from, without its types. */
export interface ResourceDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly register?: RegisterSource;
  readonly overrides?: readonly OverridableElements[] | undefined;
  readonly middleware?: readonly ResourceMiddlewareAttachmentType[] | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: GivenMeta<IResourceMeta> | undefined;
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
export function resourceBuilder<C = void>(id: string): NewResourceBuilder<C> {
  assertId("resource", id);
  return resourceBuilderOf(blankDraft(id), captureFilePath(resourceBuilder)); // the config exists only for the checker
}

/** Makes a resource from a definition object; everything is inferred from it. */
export function defineResource<
  C = void,
  V extends Promise<any> = Promise<any>,
  D extends DependencyMap = never,
  Context = any,
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with type arguments of 5.x
  M = any,
  const Tags extends readonly TagType[] = readonly TagType[],
  const Mw extends readonly ResourceMiddlewareAttachmentType[] = readonly ResourceMiddlewareAttachmentType[],
  Id extends string = any,
>(
  definition: ResourceDefinition<
    C,
    V,
    D,
    ReceivedBy<D, Id, InjectedInResourceMap<D>>,
    ReturnedBy<V, Id>,
    Context,
    Tags,
    Mw,
    Id
  >,
): Resource<
  C,
  V,
  HeldIn<V, ReceivedBy<D, Id, { [K in keyof D]: InjectedInResource<D[K]> }>, Context, Carrying<Tags, Mw>>
> {
  assertId("resource", definition.id);
  const draft = { ...definition, register: listRegister(definition.register as RegisterSource) } as ResourceDraft;
  return createResource(draft, captureFilePath(defineResource)) as never; // as the signature says
}

/** With every field from the start: of drafts that grow, engines make a hidden class each, and reading them is slow. */
const blankDraft = (id: string): ResourceDraft => ({
  id,
  dependencies: undefined,
  register: undefined,
  overrides: undefined,
  middleware: undefined,
  tags: undefined,
  meta: undefined,
  configSchema: undefined,
  resultSchema: undefined,
  throws: undefined,
  context: undefined,
  init: undefined,
  dispose: undefined,
});

/** A class, as the builder of tasks: an application makes several builders per resource. */
class ResourceDraftBuilder {
  readonly id: string;
  readonly #draft: ResourceDraft;
  readonly #filePath: () => string;

  constructor(draft: ResourceDraft, filePath: () => string) {
    this.id = draft.id;
    this.#draft = draft;
    this.#filePath = filePath;
    Object.freeze(this);
  }

  #with(patch: Partial<ResourceDraft>): ResourceDraftBuilder {
    return new ResourceDraftBuilder({ ...this.#draft, ...patch }, this.#filePath);
  }

  dependencies(added: DependencySource, option?: ReplaceOption): ResourceDraftBuilder {
    assertDependencies("Resource", this.id, added);
    return this.#with({ dependencies: mergeDependencies(this.#draft.dependencies, added, option) });
  }

  register(items: RegisterSource, option?: ReplaceOption): ResourceDraftBuilder {
    return this.#with({ register: mergeRegister(this.#draft.register, items, option) });
  }

  overrides(items: readonly OverridableElements[], option?: ReplaceOption): ResourceDraftBuilder {
    assertList("Resource", this.id, "overrides", items);
    return this.#with({ overrides: appendTo(this.#draft.overrides, items, option) });
  }

  tags(tags: readonly TagType[], option?: ReplaceOption): ResourceDraftBuilder {
    assertList("Resource", this.id, "tags", tags);
    return this.#with({ tags: appendTo(this.#draft.tags, tags, option) });
  }

  middleware(middleware: readonly ResourceMiddlewareAttachmentType[], option?: ReplaceOption): ResourceDraftBuilder {
    assertList("Resource", this.id, "middleware", middleware);
    return this.#with({ middleware: appendTo(this.#draft.middleware, middleware, option) });
  }

  context(context: () => unknown): ResourceDraftBuilder {
    assertFunction("Resource", this.id, "context", context);
    return this.#with({ context });
  }

  configSchema(configSchema: Schema): ResourceDraftBuilder {
    return this.#with({ configSchema });
  }

  resultSchema(resultSchema: Schema): ResourceDraftBuilder {
    return this.#with({ resultSchema });
  }

  meta(meta: IResourceMeta): ResourceDraftBuilder {
    return this.#with({ meta });
  }

  throws(throws: ThrowsList): ResourceDraftBuilder {
    assertList("Resource", this.id, "throws", throws);
    return this.#with({ throws });
  }

  init(init: NonNullable<ResourceDraft["init"]>): ResourceDraftBuilder {
    assertFunction("Resource", this.id, "init", init);
    return this.#with({ init });
  }

  dispose(dispose: NonNullable<ResourceDraft["dispose"]>): ResourceDraftBuilder {
    assertFunction("Resource", this.id, "dispose", dispose);
    return this.#with({ dispose });
  }

  build(): IResource<any, any> {
    return createResource(this.#draft, this.#filePath);
  }
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export const resourceBuilderOf = (draft: ResourceDraft, filePath: () => string): NewResourceBuilder<any> =>
  new ResourceDraftBuilder(draft, filePath) as unknown as NewResourceBuilder<any>; // the types exist only for the checker

/** @internal */
export function createResource(draft: ResourceDraft, filePath: () => string): IResource<any, any> {
  const { id, register = [], overrides = [], middleware = [], tags = [], meta = {} } = draft;
  assertSchema("Resource", id, "configSchema", draft.configSchema);
  assertSchema("Resource", id, "resultSchema", draft.resultSchema);
  const definition = {
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
    with: withConfig,
    optional,
    fork: forkResource,
    [symbolResource]: true, // the last one: what follows a computed key is added property by property
  };
  withFilePath(definition, filePath);
  const { [symbolFramework]: preset, [symbolResourceForkedFrom]: forkedFrom } = draft;
  if (preset) Object.assign(definition, { [symbolFramework]: preset });
  if (forkedFrom) Object.assign(definition, { [symbolResourceForkedFrom]: forkedFrom });
  return Object.freeze(definition) as unknown as IResource<any, any>; // as typed by the caller
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
  if (option?.override === true || existing === undefined) return listRegister(added);
  if (typeof existing !== "function" && typeof added !== "function")
    return [...listItems(existing), ...listItems(added)];
  return (config: never) => [...resolveRegister(existing, config), ...resolveRegister(added, config)];
}

/** The children as a definition shows them: always a list, also from a function. */
const listRegister = (source: RegisterSource): RegisterListing =>
  typeof source === "function" ? (config) => listItems(source(config as never)) : listItems(source);

/** The items behind any form of `register`. */
export function resolveRegister(source: RegisterSource, config: unknown): RegisterableItems[] {
  return listItems(typeof source === "function" ? source(config as never) : source);
}

function listItems(items: RegisterList): RegisterableItems[] {
  if (items === null || items === undefined) return [];
  return Array.isArray(items) ? [...(items as readonly RegisterableItems[])] : [items as RegisterableItems];
}
