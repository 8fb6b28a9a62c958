import { journal } from "../../define/journal";
import type { ITaskMiddlewareExecutionInput } from "../../define/middleware";
import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { createTask } from "../../define/createTask";
import type { ITask } from "../../define/task";
import { assertSync } from "../../lib/assertSync";
import { isPlainObject } from "../../lib/guards";
import { symbolFramework } from "../../lib/symbols";
import { longestTimerMs } from "../../lib/timers";
import type { MaybePromise } from "../../lib/typeLevel";
import { frameworkResource } from "../frameworkResource";
import { logger } from "../resources/handles";
import { serializer } from "../resources/serializer";
import { globalTags } from "../tags";
import { builtinTaskMiddleware } from "./builtin";
import { cacheKeyOf } from "./cacheKey";
import { field, schemaOf } from "./checkConfig";
import { loadLruCache } from "../lruCache";
import { runEnding, type RunEnding } from "./runEnding";
import { SharedRun } from "./sharedRun";

/** What a cache is made with. The factory of the framework takes all options of `lru-cache`; another one may take its own. */
export interface CacheOptions {
  /** How long a result is kept, in ms. Default 10,000. */
  readonly ttl?: number | undefined;
  /** Most results that are kept; the least recently used one goes first. Default 100. */
  readonly max?: number | undefined;
  /** Remove results when their time is over, rather than when they are asked for. Default true. */
  readonly ttlAutopurge?: boolean | undefined;
  readonly [option: string]: any; // the factory's own business
}

/** How results are cached. The first config that is used for a task holds for all of its calls. */
export interface CacheMiddlewareConfig extends CacheOptions {
  /** Calls with the same key share a result. Default: the task and its input, for all callers. */
  readonly keyBuilder?: ((taskId: string, input: any) => string) | undefined; // the input of any task
  /** Calls that find nothing share one run with those of the same key that came before. Default false. */
  readonly singleFlight?: boolean | undefined;
  /** How long after `ttl` a result is still given, in ms, while one call in the background makes a new one. Default 0. */
  readonly staleWhileRevalidateMs?: number | undefined;
}

/** The config of `globals.resources.cache`. */
export interface CacheResourceConfig {
  /** Options of all caches of the run, under those of the middleware. */
  readonly defaultOptions?: CacheOptions | undefined;
}

/** Where the results of one task are kept. All may be asynchronous. */
export interface ICacheInstance {
  /** Keeps a result. */
  set(key: string, value: any): unknown; // the result of any task
  /** The result that is kept under a key. */
  get(key: string): any; // as above, or a promise of it; `undefined` where there is none
  /** Drops all of it. */
  clear(): unknown;
  /** Without it, a result of `undefined` counts as none. */
  has?(key: string): MaybePromise<boolean>;
}

/** The caches of one run. */
export interface CacheState {
  /** By task id; made at the first call. */
  readonly map: Map<string, ICacheInstance>;
  readonly cacheFactoryTask: (options: CacheOptions) => Promise<ICacheInstance>;
  readonly defaultOptions: CacheOptions;
}

/** Makes the cache of one task. An override of it may keep results elsewhere. */
export const cacheFactory: ITask<CacheOptions, Promise<ICacheInstance>> = /* @__PURE__ */ (() =>
  createTask({ id: "globals.tasks.cacheFactory", tags: [globalTags.system], run: createLruCache }, () => "unknown"))();

async function createLruCache(options: CacheOptions): Promise<ICacheInstance> {
  // Loaded by the first cache, and by nothing else.
  const { LRUCache } = await loadLruCache();
  // The clock is read when it is needed: a test may have put another one in its place.
  const perf = { now: () => performance.now() };
  const kept = new LRUCache<string, object | string>({ perf, ...options, ...lifetimeOf(options) } as { max: number });
  return {
    has: (key) => kept.has(key),
    get(key) {
      const value = kept.get(key);
      return value === nothing ? undefined : value;
    },
    // To the package, setting `undefined` means to remove.
    set: (key, value) => void kept.set(key, value === undefined ? nothing : (value as object)),
    clear: () => kept.clear(),
  };
}

/** The package sets a timer for each entry again and again where the time is more than a timer can hold. */
function lifetimeOf({ ttl = 0 }: CacheOptions): CacheOptions {
  if (ttl <= longestTimerMs) return {};
  return { ttlAutopurge: false, ...(ttl === Infinity && { ttl: 0 }) };
}

const nothing = /* @__PURE__ */ Object.freeze({ result: "undefined" });

/** The caches of this run. Register it with a config to change what all of them start from. */
export const cacheResource: IResource<CacheResourceConfig, Promise<CacheState>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.cache",
      register: [cacheFactory],
      dependencies: { cacheFactoryTask: cacheFactory },
      init: async (
        config: CacheResourceConfig | undefined,
        { cacheFactoryTask }: Pick<CacheState, "cacheFactoryTask">,
      ): Promise<CacheState> => ({ map: new Map(), cacheFactoryTask, defaultOptions: config?.defaultOptions ?? {} }),
      dispose: async ({ map }: CacheState) =>
        void (await Promise.all([...map.values()].map(async (each) => each.clear()))),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** A cache in use. */
interface OpenCache {
  readonly instance: ICacheInstance;
  /** How long a result is fresh, in ms; set where stale ones are given as well. */
  readonly freshMs: number | undefined;
  /** Runs that fill it, by key. */
  readonly flights: Map<string, SharedRun>;
  /** Keys whose results are made anew in the background. */
  readonly refreshing: Set<string>;
}

/** By task id. */
type OpenCaches = Map<string, Promise<OpenCache>>;

const openCaches = /* @__PURE__ */ frameworkResource<OpenCaches>("globals.resources.openCaches", {
  value: () => new Map(),
});

const cacheJournalKeys = /* @__PURE__ */ (() => ({
  /** Whether the result came from the cache. */
  hit: journal.createKey<boolean>("globals.middleware.cache.hit"),
}))();

interface CacheDependencies {
  readonly cache: CacheState;
  readonly opened: OpenCaches;
  readonly logger: { warn(message: unknown, info: { readonly error: unknown }): unknown };
  readonly ending: RunEnding;
}

/** Keeps the results of a task by its input. Errors are not kept. */
export const cache = /* @__PURE__ */ (() =>
  builtinTaskMiddleware({
    id: "globals.middleware.cache",
    refusesStreams: true,
    configSchema: schemaOf<CacheMiddlewareConfig>({
      keyBuilder: field.function,
      singleFlight: field.boolean,
      staleWhileRevalidateMs: field.milliseconds,
      ttl: field.milliseconds,
    }),
    journalKeys: cacheJournalKeys,
    dependencies: { cache: cacheResource, opened: openCaches, serializer, logger, ending: runEnding },
    async run(input, dependencies, config) {
      const { task, next, journal: executionJournal } = input;
      const { id } = task.definition;
      const open = await openCache(id, config, dependencies);
      const key =
        assertSync(config.keyBuilder?.(id, task.input), "config.keyBuilder") ??
        cacheKeyOf(id, task.input, dependencies.serializer);

      const found = await lookUp(open, key);
      executionJournal.set(cacheJournalKeys.hit, found !== undefined, { override: true });
      if (found !== undefined) {
        if (found.isStale) refresh(open, key, input, dependencies);
        return found.value;
      }
      const fill: Fill = async (given, options) => {
        const value: unknown = await (options === undefined ? next(given) : next(given, options));
        await keep(open, key, value);
        return value;
      };
      return config.singleFlight === true ? joinFlight(open, key, input, fill) : fill(task.input);
    },
  }))();

type Fill = ITaskMiddlewareExecutionInput["next"];

/** Caches are made once: calls that come meanwhile wait for it. */
function openCache(
  id: string,
  config: CacheMiddlewareConfig,
  { cache: { map, cacheFactoryTask, defaultOptions }, opened }: CacheDependencies,
): Promise<OpenCache> {
  const known = opened.get(id);
  if (known !== undefined) return known;
  const opening = (async (): Promise<OpenCache> => {
    const { keyBuilder: _key, singleFlight: _flight, staleWhileRevalidateMs: staleMs = 0, ...given } = config;
    const options: CacheOptions = { ...builtinOptions, ...defaultOptions, ...given };
    const { ttl = builtinOptions.ttl } = options;
    const instance =
      map.get(id) ?? (await cacheFactoryTask(staleMs > 0 ? { ...options, ttl: ttl + staleMs } : options));
    map.set(id, instance);
    return { instance, freshMs: staleMs > 0 ? ttl : undefined, flights: new Map(), refreshing: new Set() };
  })();
  opened.set(id, opening);
  opening.catch(() => opened.delete(id));
  return opening;
}

const builtinOptions = { ttl: 10_000, max: 100, ttlAutopurge: true } as const;

interface Found {
  readonly value: unknown;
  readonly isStale: boolean;
}

async function lookUp({ instance, freshMs }: OpenCache, key: string): Promise<Found | undefined> {
  if (freshMs === undefined) {
    if (instance.has !== undefined) {
      return (await instance.has(key)) ? { value: (await instance.get(key)) as unknown, isStale: false } : undefined;
    }
    const value: unknown = await instance.get(key);
    return value === undefined ? undefined : { value, isStale: false };
  }
  const entry: unknown = await instance.get(key);
  if (!isPlainObject(entry) || typeof entry["freshUntil"] !== "number") return undefined;
  return { value: entry["value"], isStale: Date.now() >= entry["freshUntil"] };
}

/** Where stale results are given, each is kept with the time until which it is fresh, in ms since 1970. */
const keep = async ({ instance, freshMs }: OpenCache, key: string, value: unknown): Promise<unknown> =>
  instance.set(key, freshMs === undefined ? value : { value, freshUntil: Date.now() + freshMs });

function joinFlight(
  { flights }: OpenCache,
  key: string,
  { task, signal }: ITaskMiddlewareExecutionInput,
  fill: Fill,
): Promise<unknown> {
  const known = flights.get(key);
  const end = (flight: SharedRun): void => {
    if (flights.get(key) === flight) flights.delete(key);
  };
  const flight: SharedRun = known ?? new SharedRun(() => end(flight));
  const next: Fill = (given, options) => fill(given, options).finally(() => end(flight));
  if (known === undefined) flights.set(key, flight);
  const outcome = flight.join({ task, signal, next });
  flight.start();
  return outcome;
}

/** Makes a new result in the background, one at a time for each key. A failure leaves the stale one. */
function refresh(
  open: OpenCache,
  key: string,
  { task, next }: ITaskMiddlewareExecutionInput,
  { logger: log, ending }: CacheDependencies,
): void {
  const { refreshing } = open;
  if (refreshing.has(key) || ending.hasBegun) return;
  refreshing.add(key);
  const controller = new AbortController();
  const stop = ending.onBegin(() => controller.abort());
  next(task.input, { signal: controller.signal, detached: true })
    .then((value: unknown) => keep(open, key, value))
    .catch((error: unknown) => {
      if (controller.signal.aborted) return;
      void log.warn(`A cached result of task "${task.definition.id}" could not be made anew; the stale one stays.`, {
        error,
      });
    })
    .finally(() => {
      stop();
      refreshing.delete(key);
    });
}
