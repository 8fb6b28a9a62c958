import { contextError, platformUnsupportedFunctionError, validationFailed } from "../errors/runErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { optional, type Injectable, type IOptionalDependency, type Unbuilt } from "../lib/injectable";
import { compileSyncSchema, type Schema } from "../lib/schema";
import { symbolAsyncContext, symbolFilePath } from "../lib/symbols";
import { currentSlots, hasContextScope, provideSlots, stayingSlot } from "../platform/contextScope";
import type { SerializerLike } from "../serializer/codec";
import { lightSerializer } from "../serializer/lightSerializer";
import type { GivenMeta, IAsyncContextMeta } from "./attachments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import { defineTaskMiddleware } from "./createMiddleware";
import type { ITaskMiddleware, ITaskMiddlewareConfigured } from "./middleware";

/** A value that follows an async chain, and travels with remote calls. Slots go by id, process-wide. */
export interface IAsyncContext<T = any> extends Injectable {
  readonly kind: "asyncContext";
  readonly id: string;
  readonly meta: IAsyncContextMeta;
  /** Whether it stays in this process: no client sends it, and no server accepts it. */
  readonly isLocal: boolean;
  readonly [symbolAsyncContext]: true;
  readonly [symbolFilePath]: string;
  /**
   * The value provided to the current async chain.
   * @throws {contextError} none is provided
   * @throws {platformUnsupportedFunctionError} the platform has no AsyncLocalStorage
   */
  use(): T;
  /**
   * Runs `fn` with the value provided; returns exactly what `fn` returns.
   * @throws {platformUnsupportedFunctionError} the platform has no AsyncLocalStorage
   */
  provide<R>(value: T, fn: () => R): R;
  /** Middleware that fails a task when the context is missing. */
  require(): ITaskMiddlewareConfigured<{ context: IAsyncContext<T> }>;
  serialize(value: T): string;
  parse(text: string): T;
  /** @internal Validates a value the way `provide` does; the schema's errors surface as they are. */
  validate(value: unknown): T;
  /** @internal Whether a value is provided to the current async chain. */
  isActive(): boolean;
  /** @internal Whether what is provided to the current async chain stays in this process, whatever it is. */
  stays(): boolean;
  optional(): IOptionalDependency<this>;
  readonly $injects?: readonly [this];
  readonly $injectsInResource?: readonly [unknown];
}

/** What an async context is made from. */
export interface IAsyncContextDefinition<T = any> {
  readonly id: string;
  /** How a value travels. Default: the framework's serializer. */
  readonly serialize?: ((value: T) => string) | undefined;
  readonly parse?: ((text: string) => T) | undefined;
  /** Validates, and may transform, what is provided. */
  readonly configSchema?: Schema<T> | undefined;
  /** Keeps it in this process: no client sends it, and no server accepts it. Default false. */
  readonly local?: boolean | undefined;
  readonly meta?: GivenMeta<IAsyncContextMeta> | undefined;
}

/** Fluent form of `IAsyncContextDefinition`; every method returns a new builder. */
export interface AsyncContextFluentBuilder<T = unknown> extends Unbuilt {
  readonly id: string;
  serialize(serialize: (value: T) => string): AsyncContextFluentBuilder<T>;
  parse(parse: (text: string) => T): AsyncContextFluentBuilder<T>;
  configSchema<N extends T = T>(schema: Schema<N>): AsyncContextFluentBuilder<N>;
  /** Keeps it in this process: no client sends it, and no server accepts it. */
  local(): AsyncContextFluentBuilder<T>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends IAsyncContextMeta>(meta: M): AsyncContextFluentBuilder<T>;
  /** Gives the finished definition, which is frozen. */
  build(): IAsyncContext<T>;
}

/** What `requireContext` is given: the context a task cannot do without. */
export interface RequireContextMiddlewareConfig {
  readonly context: IAsyncContext<any>;
}

export const isAsyncContext = (value: unknown): value is IAsyncContext => hasBrand(value, symbolAsyncContext);

/** Starts an async context. */
export function asyncContextBuilder<T = unknown>(id: string): AsyncContextFluentBuilder<T> {
  assertId("async context", id);
  return builderOf({ id }, captureFilePath(asyncContextBuilder)) as AsyncContextFluentBuilder<T>;
}

/** Makes an async context from a definition object, or starts a builder when given an id. */
export function defineAsyncContext<T>(definition: IAsyncContextDefinition<T>): IAsyncContext<T>;
export function defineAsyncContext<T = unknown>(id: string): AsyncContextFluentBuilder<T>;
export function defineAsyncContext(
  idOrDefinition: string | IAsyncContextDefinition,
): IAsyncContext | AsyncContextFluentBuilder {
  const filePath = captureFilePath(defineAsyncContext);
  const definition = typeof idOrDefinition === "string" ? { id: idOrDefinition } : idOrDefinition;
  assertId("async context", definition.id);
  return typeof idOrDefinition === "string"
    ? builderOf(definition, filePath)
    : createAsyncContext(definition, filePath);
}

/**
 * An async context from a name alone.
 * @deprecated use `r.asyncContext(id)`
 */
export function createContext<T>(
  name = `context.${Math.random().toString(36).slice(2)}.${Date.now()}`,
): IAsyncContext<T> {
  assertId("async context", name);
  return createAsyncContext({ id: name }, captureFilePath(createContext));
}

function builderOf(definition: IAsyncContextDefinition, filePath: FilePath): AsyncContextFluentBuilder<any> {
  const at = (patch: Partial<IAsyncContextDefinition>) => builderOf({ ...definition, ...patch }, filePath);
  const builder: unknown = Object.freeze({
    id: definition.id,
    serialize: (serialize: (value: unknown) => string) => at({ serialize }),
    parse: (parse: (text: string) => unknown) => at({ parse }),
    configSchema: (configSchema: Schema) => at({ configSchema }),
    local: () => at({ local: true }),
    meta: (meta: IAsyncContextMeta) => at({ meta }),
    build: () => createAsyncContext(definition, filePath),
  });
  return builder as AsyncContextFluentBuilder<any>; // the caller names the type
}

function createAsyncContext<T>(definition: IAsyncContextDefinition<T>, filePath: FilePath): IAsyncContext<T> {
  const { id, meta = {}, configSchema } = definition;
  assertSchema("Async context", id, "configSchema", configSchema);
  const validate =
    configSchema && compileSyncSchema(configSchema, (cause) => validationFailed("Async context value", id, cause));
  const assertStorage = (): void => {
    if (hasContextScope()) return;
    throw platformUnsupportedFunctionError.create({
      functionName: `createAsyncLocalStorage: Cannot create context ${id}: no async storage available in this environment`,
    });
  };

  const made = {
    kind: "asyncContext",
    id,
    meta,
    isLocal: definition.local === true,
    [symbolAsyncContext]: true,
    use(): T {
      const slots = currentSlots();
      if (slots?.has(id)) return slots.get(id) as T;
      assertStorage();
      throw contextError.create({ details: `Context not available for symbol ${id}`, contextId: id });
    },
    provide<R>(value: T, fn: () => R): R {
      assertStorage();
      return provideSlots(new Map([[id, context.validate(value)]]), fn);
    },
    require: () => requireContext.with({ context }),
    serialize: definition.serialize ?? ((value: T) => wireFormat().stringify(value)),
    parse: definition.parse ?? ((text: string) => wireFormat().parse<T>(text)),
    isActive: () => currentSlots()?.has(id) === true,
    stays: () => currentSlots()?.has(stayingSlot(id)) === true,
    validate: (value: unknown) => (validate ? validate(value) : value) as T,
    optional,
  };
  const context = Object.freeze(withFilePath(made, filePath)) as unknown as IAsyncContext<T>;
  return context;
}

/** Values of contexts travel in a header, so that anything larger than this cannot be one. */
const wireFormat = (): SerializerLike => lightSerializer({ maxChars: 1024 * 1024, omitErrorStacks: true });

/** Fails a task whose async context is missing; what `context.require()` attaches. */
export const requireContext: ITaskMiddleware<RequireContextMiddlewareConfig> = /* @__PURE__ */ defineTaskMiddleware({
  id: "globals.middleware.requireContext",
  async run({ next }, _dependencies, config: RequireContextMiddlewareConfig) {
    // Without types, or attached bare, the context may be missing.
    if ((config as Partial<RequireContextMiddlewareConfig>).context === undefined) {
      throw new Error("Context not available. Did you forget to pass 'context' to the middleware?");
    }
    config.context.use();
    return next();
  },
});
