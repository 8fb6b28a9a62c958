import { builderIncompleteError, type BuilderType } from "../errors/bootErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { noEntries, noItems } from "../lib/nothing";
import { isPlainObject } from "../lib/guards";
import type { DependencyMap, Injected, InjectedMap, InjectedOf, ReceivedBy } from "../lib/injectable";
import type { Schema } from "../lib/schema";
import {
  symbolFramework,
  symbolMiddlewareConfigured,
  symbolResourceMiddleware,
  symbolTaskMiddleware,
} from "../lib/symbols";
import type { IMiddlewareMeta, TagType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type { ResourceMiddleware, TaskMiddleware } from "./middleware";
import type {
  MiddlewareDraft,
  ResourceMiddlewareBuilder,
  ResourceMiddlewareDefinition,
  TaskMiddlewareBuilder,
  TaskMiddlewareDefinition,
} from "./middlewareBuilder";
import { parseConfig } from "./parseConfig";

type MiddlewareKind = "taskMiddleware" | "resourceMiddleware";

/** Starts a task middleware. */
export function taskMiddlewareBuilder<C = void, In = void, Out = void, D = {}>(
  id: string,
): TaskMiddlewareBuilder<C, In, Out, InjectedOf<D>> {
  assertId("task middleware", id);
  return middlewareBuilderOf("taskMiddleware", { id }, captureFilePath(taskMiddlewareBuilder));
}

/** Starts a resource middleware. */
export function resourceMiddlewareBuilder<C = void, In = void, Out = void, D = {}>(
  id: string,
): ResourceMiddlewareBuilder<C, In, Out, InjectedOf<D>> {
  assertId("resource middleware", id);
  return middlewareBuilderOf("resourceMiddleware", { id }, captureFilePath(resourceMiddlewareBuilder));
}

/** Makes a task middleware from a definition object. */
export function defineTaskMiddleware<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = never,
  Id extends string = any,
>(
  definition: TaskMiddlewareDefinition<C, In, Out, D, ReceivedBy<D, Id, InjectedMap<D>>, Id>,
): TaskMiddleware<C, In, Out, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("task middleware", definition.id);
  return createMiddleware("taskMiddleware", definition, captureFilePath(defineTaskMiddleware));
}

/** Makes a resource middleware from a definition object. */
export function defineResourceMiddleware<
  C = any,
  In = void,
  Out = void,
  D extends DependencyMap = never,
  Id extends string = any,
>(
  definition: ResourceMiddlewareDefinition<C, In, Out, D, ReceivedBy<D, Id, InjectedMap<D>>, Id>,
): ResourceMiddleware<C, In, Out, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("resource middleware", definition.id);
  return createMiddleware("resourceMiddleware", definition, captureFilePath(defineResourceMiddleware));
}

/** @internal The builder over a draft; overrides start from one that is filled. Gives `any`: the callers name the type. */
export function middlewareBuilderOf(kind: MiddlewareKind, draft: MiddlewareDraft, filePath: FilePath): any {
  // the callers name the type
  const at = (patch: Partial<MiddlewareDraft>): unknown => middlewareBuilderOf(kind, { ...draft, ...patch }, filePath);
  return Object.freeze({
    id: draft.id,
    dependencies(added: DependencySource, option?: ReplaceOption) {
      assertDependencies("Middleware", draft.id, added);
      return at({ dependencies: mergeDependencies(draft, added, option) });
    },
    configSchema: (configSchema: Schema) => at({ configSchema }),
    run(run: NonNullable<MiddlewareDraft["run"]>) {
      assertFunction("Middleware", draft.id, "run", run);
      return at({ run });
    },
    meta: (meta: IMiddlewareMeta) => at({ meta }),
    tags(tags: readonly TagType[], option?: ReplaceOption) {
      assertList("Middleware", draft.id, "tags", tags);
      return at({ tags: appendTo(draft.tags, tags, option) });
    },
    everywhere: (everywhere: NonNullable<MiddlewareDraft["everywhere"]>) => at({ everywhere }),
    build: () => createMiddleware(kind, draft, filePath),
  });
}

/** @internal Gives `any`: the callers name the type. */
export function createMiddleware(
  kind: MiddlewareKind,
  draft: MiddlewareDraft,
  filePath: FilePath,
  configured = false,
): any {
  // the callers name the type
  const {
    id,
    dependencies = noEntries,
    config = {},
    configSchema,
    meta = noEntries,
    tags = noItems,
    everywhere,
    run,
  } = draft;
  if (typeof run !== "function") {
    const type = kind.replace("M", "-m") as BuilderType;
    throw builderIncompleteError.create({ type, builderId: id, missingFields: ["run"] });
  }
  assertSchema("Middleware", id, "configSchema", configSchema);
  const definition = {
    kind,
    id,
    dependencies,
    config,
    configSchema,
    meta,
    tags,
    everywhere,
    run,
    [kind === "taskMiddleware" ? symbolTaskMiddleware : symbolResourceMiddleware]: true,
    ...(configured && { [symbolMiddlewareConfigured]: true }),
    ...(draft[symbolFramework] && { [symbolFramework]: draft[symbolFramework], journalKeys: draft.journalKeys }),
    with(given: unknown): unknown {
      const parsed = parseConfig(configSchema, given, "Middleware config", id);
      return createMiddleware(
        kind,
        { ...(this as MiddlewareDraft), config: mergeConfig(config, parsed) },
        filePath,
        true,
      );
    },
  };
  return Object.freeze(withFilePath(definition, filePath));
}

/**
 * The first config keeps its identity: middleware that counts or limits shares state by config object.
 * A later one is merged over it.
 */
function mergeConfig(current: unknown, given: unknown): unknown {
  if (!isPlainObject(current) || !isPlainObject(given)) return given;
  return Object.keys(current).length === 0 ? given : { ...current, ...given };
}
