import type { DependencyMap, InjectedInResource, Listed, Unbuilt } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import { symbolFramework, symbolResourceForkedFrom } from "../lib/symbols";
import type { InferOnly, IsAny, Open, OpenConfig, Resolution } from "../lib/typeLevel";
import type { GivenMeta, IResourceMeta, ResourceMiddlewareAttachmentType, TagType } from "./attachments";
import type { DependencySource, ReplaceOption } from "./builderLists";
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
import type { ResourceForkInfo } from "./fork";
import type { ThrowsList } from "./throwsList";
import type {
  FrameworkPreset,
  OverridableElements,
  RegisterInput,
  RegisterList,
  RegisterSource,
  Resource,
  Within,
} from "./resource";

/** What overrides are held to: context and contracts only where there are any. */
export type HeldIn<V, D, X, S extends ContractShape> = [IsAny<X>, S["gives"]] extends [true, never]
  ? D
  : Within<D, X, ValueUnder<Resolution<V>, ItemsOf<S>>, ChecksUnder<S>>;

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
    items: RegisterInput | readonly RegisterInput[] | ((config: C) => RegisterList),
    option?: ReplaceOption,
  ): ResourceBuilder<C, V, D, X, S>;
  /** Definitions that take the place of others with their ids. */
  overrides(items: readonly OverridableElements[], option?: ReplaceOption): ResourceBuilder<C, V, D, X, S>;
  /** Adds tags; `{ override: true }` replaces them. */
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
  /** What it is about, for people and tools. Replaces what was given before. */
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
  /** Gives the finished definition, which is frozen. */
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
  /** What `init` and `dispose` receive, by the names they know it by. */
  readonly dependencies?: Listed<D, C> | undefined;
  /** Children of the resource in the application. */
  readonly register?: readonly RegisterInput[] | ((config: C) => RegisterList) | undefined;
  /** Definitions that take the place of others with their ids. */
  readonly overrides?: readonly OverridableElements[] | undefined;
  /** Around `init`; the first one is outermost. */
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: GivenMeta<IResourceMeta> | undefined;
  /** Validates, and may transform, the config at `.with(...)`. */
  readonly configSchema?: Schema<C> | undefined;
  /** Validates, and may transform, what `init` resolves to. */
  readonly resultSchema?: Schema<Awaited<V>> | undefined;
  /** Errors it may throw, as helpers or ids; documentation only. */
  readonly throws?: ThrowsList | undefined;
  /** Makes private state once per run, right before `init`. */
  readonly context?: (() => InferOnly<Context>) | undefined;
  /** Makes the value. */
  init?(
    config: ResolveInput<C, Open<C>, readonly [...Tags, ...Mw], C>,
    dependencies: Deps,
    context: Context,
  ): R & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
  /** Releases the value; called in reverse order of initialisation. */
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
