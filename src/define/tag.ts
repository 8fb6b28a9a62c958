import { given } from "../errors/bootErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import type { Unbuilt } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import { symbolFilePath, symbolTag, symbolTagConfigured } from "../lib/symbols";
import type { Bare, IsAny } from "../lib/typeLevel";
import type { Contract } from "./contracts";
import type { GivenMeta, ITaggable, ITagMeta, TagLike } from "./attachments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import { parseConfig } from "./parseConfig";

/** `.with` of a definition with config `C`: no argument for `void`. */
export type WithConfig<C, R> = [C] extends [void]
  ? IsAny<C> extends true
    ? (config?: any) => R // an `any` config takes anything
    : () => R
  : (config: C) => R;

/** What a tag is, whether its config is given or not. */
interface TagFields<C, In, Out> extends Contract<In, Out> {
  readonly kind: "tag";
  readonly id: string;
  readonly meta: ITagMeta;
  readonly configSchema?: Schema<C> | undefined;
  readonly [symbolTag]: true;
  readonly [symbolFilePath]: string;
  /**
   * The same tag with a config, merged over the defaults when both are objects.
   * @throws {validationError} the config does not fit `configSchema`
   */
  with: WithConfig<C, ITagConfigured<C, In, Out>>;
  /** Whether a tag of this id is attached. */
  exists(target: ITaggable | readonly TagLike[]): boolean;
  /** Config of the attached tag of this id; `undefined` when absent. */
  extract(target: ITaggable | readonly TagLike[]): C | undefined;
  readonly $injectable?: readonly ["a tag has no value to depend on: attach it with .tags([...])"];
}

/** Typed annotation of a definition, optionally with a config and with type contracts. */
export interface ITag<C = void, In = void, Out = void> extends TagFields<C, In, Out> {
  /** Config the tag carries: the defaults until `.with` is called. */
  readonly config?: C | undefined;
  readonly $bare?: Bare<C, "this tag needs a config: use .with(config)">;
}

/** A tag with its config given. */
export interface ITagConfigured<C = void, In = void, Out = void> extends TagFields<C, In, Out> {
  readonly config: C;
  readonly [symbolTagConfigured]: true;
  readonly $bare?: readonly [true];
}

/** A tag as `tag({ ... })` takes it. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with annotations of 5.x
export interface ITagDefinition<C = void, In = void, Out = void> {
  readonly id: string;
  readonly meta?: GivenMeta<ITagMeta> | undefined;
  readonly configSchema?: Schema<C> | undefined;
  /** Defaults, under what `.with` gives. */
  readonly config?: C | undefined;
}

/** Fluent form of a tag; every method returns a new builder. */
export interface TagFluentBuilder<C = void, In = void, Out = void> extends Unbuilt {
  readonly id: string;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITagMeta>(meta: M): TagFluentBuilder<C, In, Out>;
  /** Validates, and may transform, the config at `.with(...)`. */
  configSchema<N>(schema: Schema<N>): TagFluentBuilder<N, In, Out>;
  /** Defaults, under what `.with` gives. */
  config<N>(defaults: N): TagFluentBuilder<N, In, Out>;
  /** Gives the finished definition, which is frozen. */
  build(): ITag<C, In, Out>;
}

export const isTag = (value: unknown): value is ITag<any, any, any> => hasBrand(value, symbolTag);

/** Starts a tag. `In` and `Out` are contracts on what it is attached to. */
export function tagBuilder<C = void, In = void, Out = void>(id: string): TagFluentBuilder<C, In, Out> {
  assertId("tag", id);
  const filePath = captureFilePath(tagBuilder);
  const at = (definition: ITagDefinition<any>): unknown =>
    Object.freeze({
      id,
      meta: (meta: ITagMeta) => at({ ...definition, meta }),
      configSchema: (configSchema: Schema) => at({ ...definition, ...given("Tag", id, { configSchema }) }),
      config: (config: unknown) => at({ ...definition, config }),
      build: () => createTag<unknown, In, Out>(definition, filePath),
    });
  return at({ id }) as TagFluentBuilder<C, In, Out>; // the types exist only for the checker
}

/** Makes a tag from a definition object. */
export function defineTag<C = void, In = void, Out = void>(definition: ITagDefinition<C>): ITag<C, In, Out> {
  assertId("tag", definition.id);
  return createTag(definition, captureFilePath(defineTag));
}

function createTag<C, In, Out>(
  definition: ITagDefinition<C>,
  filePath: FilePath,
  configured = false,
): ITag<C, In, Out> {
  const { id, meta = {}, configSchema, config } = definition;
  assertSchema("Tag", id, "configSchema", configSchema);
  const made = {
    kind: "tag",
    id,
    meta,
    configSchema,
    config,
    [symbolTag]: true,
    ...(configured && { [symbolTagConfigured]: true }),
    with(given?: C) {
      const parsed = parseConfig(configSchema, given as C, "Tag config", id);
      return createTag<C, In, Out>({ ...definition, config: mergeTagConfig(config, parsed) }, filePath, true);
    },
    exists: (target: ITaggable | readonly TagLike[]) => find(target, id) !== undefined,
    extract: (target: ITaggable | readonly TagLike[]) => find(target, id)?.config as C | undefined,
  };
  return Object.freeze(withFilePath(made, filePath)) as unknown as ITag<C, In, Out>;
}

function mergeTagConfig<C>(defaults: C | undefined, given: C): C {
  // `null` is an object here: it leaves the defaults as they are.
  if (typeof defaults !== "object" || defaults === null || typeof given !== "object") return given;
  return { ...defaults, ...given };
}

function find(target: ITaggable | readonly TagLike[], id: string): { config?: unknown } | undefined {
  const tags = Array.isArray(target) ? (target as readonly TagLike[]) : (target as ITaggable).tags;
  return tags?.find((tag) => tag.id === id) as { config?: unknown } | undefined;
}
