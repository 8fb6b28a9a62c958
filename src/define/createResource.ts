import { given } from "../errors/bootErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { noEntries, noItems } from "../lib/nothing";
import {
  optional,
  type DependencyMap,
  type InjectedInResource,
  type InjectedInResourceMap,
  type ReceivedBy,
  type ReturnedBy,
} from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFilePath,
  symbolFramework,
  symbolResource,
  symbolResourceForkedFrom,
  symbolResourceWithConfig,
} from "../lib/symbols";
import type { IResourceMeta, ResourceMiddlewareAttachmentType, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type { Carrying } from "./contracts";
import { forkDraft, type ResourceForkOptions } from "./fork";
import { parseConfig } from "./parseConfig";
import { normalizeThrows, type ThrowsList } from "./throwsList";
import type {
  IResource,
  IResourceWithConfig,
  OverridableElements,
  RegisterList,
  RegisterListing,
  RegisterSource,
  RegisterableItems,
  Resource,
} from "./resource";
import type { HeldIn, NewResourceBuilder, ResourceDefinition, ResourceDraft } from "./resourceBuilder";

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
  const draft = { ...definition, register: listRegister(definition.register) } as ResourceDraft;
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
  readonly #filePath: FilePath;

  constructor(draft: ResourceDraft, filePath: FilePath) {
    this.id = draft.id;
    this.#draft = draft;
    this.#filePath = filePath;
    Object.freeze(this);
  }

  #with(patch: Partial<ResourceDraft>): ResourceDraftBuilder {
    return new ResourceDraftBuilder({ ...this.#draft, ...given("Resource", this.id, patch) }, this.#filePath);
  }

  dependencies(added: DependencySource, option?: ReplaceOption): ResourceDraftBuilder {
    assertDependencies("Resource", this.id, added);
    return this.#with({ dependencies: mergeDependencies(this.#draft, added, option) });
  }

  register(register: RegisterSource, option?: ReplaceOption): ResourceDraftBuilder {
    given("Resource", this.id, { register });
    return this.#with({ register: mergeRegister(this.#draft.register, register, option) });
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
export const resourceBuilderOf = (draft: ResourceDraft, filePath: FilePath): NewResourceBuilder<any> =>
  new ResourceDraftBuilder(draft, filePath) as unknown as NewResourceBuilder<any>; // the types exist only for the checker

/** @internal */
export function createResource(draft: ResourceDraft, filePath: FilePath): IResource<any, any> {
  const { id, register = noItems, overrides = noItems, middleware = noItems, tags = noItems, meta = noEntries } = draft;
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
