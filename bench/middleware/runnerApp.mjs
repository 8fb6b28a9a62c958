import { callSampler } from "../lib/callSampler.mjs";
import { runOptions } from "../lib/runOptions.mjs";

/** The rows for a build of the runner, whichever version it is. */
export async function startApp({ r, run, globals }, row) {
  const { task: of } = globals.middleware ?? globals.middlewares;
  const retry = () => of.retry.with({ retries: 3 });
  const timeout = () => of.timeout.with({ ttl: 60_000 });
  const circuitBreaker = () => of.circuitBreaker.with({ failureThreshold: 5 });
  const rateLimit = () => of.rateLimit.with({ windowMs: 60_000, max: 1e12 });
  const fallback = () => of.fallback.with({ fallback: 0 });
  const rows = {
    none: () => [],
    retry: () => [retry()],
    timeout: () => [timeout()],
    circuitBreaker: () => [circuitBreaker()],
    concurrency: () => [of.concurrency.with({ limit: 10 })],
    rateLimit: () => [rateLimit()],
    throttle: () => [of.throttle.with({ ms: 0 })],
    fallback: () => [fallback()],
    cache: () => [of.cache.with({ ttl: 600_000 })],
    all5: () => [fallback(), rateLimit(), circuitBreaker(), retry(), timeout()],
  };
  const task = r
    .task("app.tasks.empty")
    .middleware(rows[row]())
    .run(async () => {})
    .build();
  const items = row === "cache" ? [globals.resources.cache, of.cache, task] : [task];
  const app = await run(r.resource("app").register(items).build(), runOptions);
  return callSampler(() => app.runTask(task));
}
