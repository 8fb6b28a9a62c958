import { expectTypeOf } from "expect-type";
import { Errors, globals, r, Semaphore, type CircuitBreakerState, type ICacheInstance } from "../../index";

const { cache, circuitBreaker, concurrency, debounce, fallback, rateLimit, retry, throttle, timeout } =
  globals.middleware.task;
const { resource } = globals.middleware;

// Row 40: those whose config has no required option are attached bare.
r.task("x").middleware([retry, circuitBreaker, concurrency, cache]);
r.resource("x").middleware([resource.retry, resource.timeout.with({ ttl: 1 })]);
// @ts-expect-error -- it needs its time
r.task("x").middleware([timeout]);
// @ts-expect-error -- it needs its limit
r.task("x").middleware([rateLimit]);
// @ts-expect-error -- it needs what stands in
r.task("x").middleware([fallback]);
// @ts-expect-error -- it needs its time
r.task("x").middleware([debounce]);
// @ts-expect-error -- it needs its time
r.task("x").middleware([throttle]);
// @ts-expect-error -- it needs its time
r.resource("x").middleware([resource.timeout]);
// @ts-expect-error -- it wraps resources
r.task("x").middleware([resource.retry]);

r.task("x").middleware([
  retry.with({ retries: 1, jitter: true, onlyIf: (error) => error.message === "x", stopRetryIf: () => false }),
  timeout.with({ ttl: 1 }),
  rateLimit.with({
    windowMs: 1,
    max: 1,
    window: "sliding",
    key: (input: { id: string }, { origin }) => input.id + origin,
  }),
  fallback.with({ fallback: 1 }),
  debounce.with({ ms: 1 }),
  throttle.with({ ms: 1 }),
  concurrency.with({ semaphore: new Semaphore(1), queueLimit: 1 }),
  circuitBreaker.with({ failureThreshold: 1, halfOpenProbes: 2 }),
  cache.with({ ttl: 1, singleFlight: true, staleWhileRevalidateMs: 1, keyBuilder: (id, input: string) => id + input }),
]);
// @ts-expect-error -- the option is called retries
retry.with({ attempts: 3 });
// @ts-expect-error -- a number of milliseconds
timeout.with({ ttl: "5s" });
// @ts-expect-error -- no such window
rateLimit.with({ windowMs: 1, max: 1, window: "rolling" });
// @ts-expect-error -- the limit of a window is missing
rateLimit.with({ windowMs: 1 });

// What stands around a task leaves its types as they are.
const task = r
  .task("x")
  .middleware([retry, cache])
  .run(async (input: number) => String(input))
  .build();
expectTypeOf(task.run).returns.toEqualTypeOf<Promise<string>>();

// Row 51: the keys are typed.
r.task("x").run(async (_input: void, _dependencies, { journal }) => {
  expectTypeOf(journal.get(retry.journalKeys.attempt)).toEqualTypeOf<number | undefined>();
  expectTypeOf(journal.get(retry.journalKeys.lastError)).toEqualTypeOf<Error | undefined>();
  expectTypeOf(journal.get(timeout.journalKeys.abortController)).toEqualTypeOf<AbortController | undefined>();
  expectTypeOf(journal.get(circuitBreaker.journalKeys.state)).toEqualTypeOf<CircuitBreakerState | undefined>();
  expectTypeOf(journal.get(circuitBreaker.journalKeys.failures)).toEqualTypeOf<number | undefined>();
  expectTypeOf(journal.get(cache.journalKeys.hit)).toEqualTypeOf<boolean | undefined>();
  expectTypeOf(journal.get(fallback.journalKeys.active)).toEqualTypeOf<boolean | undefined>();
  expectTypeOf(journal.get(fallback.journalKeys.error)).toEqualTypeOf<Error | undefined>();
  expectTypeOf(journal.get(rateLimit.journalKeys.remaining)).toEqualTypeOf<number | undefined>();
  // @ts-expect-error -- it is a number
  journal.set(retry.journalKeys.attempt, "1");
});

// State and errors.
r.task("x")
  .dependencies({ breakers: globals.resources.circuitBreaker, caches: globals.resources.cache })
  .run(async (_input: void, { breakers, caches }) => {
    expectTypeOf(breakers.statusMap.get("x")?.state).toEqualTypeOf<CircuitBreakerState | undefined>();
    expectTypeOf(caches.map.get("x")).toEqualTypeOf<ICacheInstance | undefined>();
  });
expectTypeOf<CircuitBreakerState>().toEqualTypeOf<"CLOSED" | "OPEN" | "HALF_OPEN">();
const error: unknown = undefined;
if (Errors.rateLimitError.is(error)) expectTypeOf(error.data.retryAfterMs).toEqualTypeOf<number>();
r.resource("x").register([globals.resources.cache, cache]);
r.resource("x").register([globals.resources.cache.with({ defaultOptions: { ttl: 1 } })]);
