import { Errors, globals, r, run, type TaskMiddlewareAttachmentType as Attachment } from "../../../node/index";
import { appOf } from "../../support/appOf";
import { createDeferred, type Deferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import { connect, quiet, serve } from "../../support/tunnelPair";

type Behaviour = "works" | "fails" | "waits";

/** A task in its place, and what it did. */
interface Placed extends AsyncDisposable {
  readonly call: (input: Behaviour) => Promise<string>;
  readonly runs: Behaviour[];
  /** Ends the runs that wait. */
  readonly gate: Deferred;
  /** Resolves once a run waits. */
  readonly waiting: Promise<void>;
  /** Resolves once the signal of a run that waits has aborted. */
  readonly stopped: Promise<void>;
}

const failed = r.error<{ reason: string }>("shop.errors.failed").build();

function createBody() {
  const runs: Behaviour[] = [];
  const gate = createDeferred();
  const [waiting, stopped] = [createDeferred(), createDeferred()];
  const body = async (input: Behaviour, _dependencies: object, { signal }: { signal: AbortSignal }) => {
    runs.push(input);
    if (input === "fails") throw failed.create({ reason: "sold out" });
    if (input === "waits") {
      signal.addEventListener("abort", () => stopped.resolve());
      waiting.resolve();
      await Promise.race([gate.promise, stopped.promise]);
    }
    return `run ${runs.length}`;
  };
  return { body, state: { runs, gate, waiting: waiting.promise, stopped: stopped.promise } };
}

const silent = { ...quiet, onUnhandledError: () => {} };
const id = "shop.task";

/** A task that runs in one process and is called in another, with middleware on either side. */
async function placeApart(here: readonly Attachment[], there: readonly Attachment[]): Promise<Placed> {
  const { body, state } = createBody();
  const task = r.task(id).middleware(there).run(body).build();
  const phantom = r.task
    .phantom<Behaviour, string>(id)
    .middleware(here)
    .tags([globals.tags.tunnelPolicy.with({ client: here })])
    .build();
  const far = await serve([task, failed], { mode: "server", tasks: [task] });
  const near = await connect(far.baseUrl, [phantom, failed], { tasks: [phantom] });
  return {
    ...state,
    call: (input) => near.runTask(phantom, input),
    async [Symbol.asyncDispose]() {
      await near.dispose();
      await far.app.dispose();
    },
  };
}

const places: Record<string, (middleware: Attachment) => Promise<Placed>> = {
  async "on a local task"(middleware) {
    const { body, state } = createBody();
    const task = r.task(id).middleware([middleware]).run(body).build();
    const app = await run(appOf(task, failed), silent);
    return { ...state, call: (input) => app.runTask(task, input), [Symbol.asyncDispose]: () => app.dispose() };
  },
  "on a task that a tunnel routes": (middleware) => placeApart([middleware], []),
  "on a task that is served": (middleware) => placeApart([], [middleware]),
};

const { cache, circuitBreaker, concurrency, debounce, fallback, rateLimit, retry, throttle, timeout } =
  globals.middleware.task;

describe.each(Object.entries(places))("built-in middleware %s", (where, place) => {
  it(`cache keeps the result ${where}`, async () => {
    await using task = await place(cache);

    expect([await task.call("works"), await task.call("works"), task.runs]).toEqual(["run 1", "run 1", ["works"]]);
  });

  it(`circuitBreaker refuses calls after a failure ${where}`, async () => {
    await using task = await place(circuitBreaker.with({ failureThreshold: 1 }));

    expect(failed.is(await rejectionOf(task.call("fails")))).toBe(true);
    const error = await rejectionOf(task.call("works"));

    expect(Errors.circuitOpenError.is(error) && error.data.taskId).toBe(id);
    expect(task.runs).toEqual(["fails"]);
  });

  it(`concurrency refuses calls beyond its queue ${where}`, async () => {
    await using task = await place(concurrency.with({ limit: 1, queueLimit: 0 }));

    const outcomes = [task.call("waits"), task.call("waits")].map((call) => call.catch((error: unknown) => error));
    // The one that runs waits for the other.
    const first = await Promise.race(outcomes);
    task.gate.resolve();

    expect(Errors.bulkheadError.is(first)).toBe(true);
    expect((await Promise.all(outcomes)).filter((each) => each === "run 1")).toHaveLength(1);
    expect(task.runs).toEqual(["waits"]);
  });

  it(`debounce gathers calls ${where}`, async () => {
    await using task = await place(debounce.with({ ms: 300 }));

    const results = await Promise.all(["works", "works", "works"].map((input) => task.call(input as Behaviour)));

    expect([results, task.runs]).toEqual([["run 1", "run 1", "run 1"], ["works"]]);
  });

  it(`throttle gathers the calls that come too early ${where}`, async () => {
    await using task = await place(throttle.with({ ms: 300 }));

    const results = await Promise.all(["works", "works", "works"].map((input) => task.call(input as Behaviour)));

    expect([results.sort(), task.runs]).toEqual([
      ["run 1", "run 2", "run 2"],
      ["works", "works"],
    ]);
  });

  it(`fallback stands in for a failure ${where}`, async () => {
    await using task = await place(fallback.with({ fallback: "default" }));

    expect([await task.call("fails"), await task.call("works")]).toEqual(["default", "run 2"]);
  });

  it(`rateLimit refuses calls ${where}`, async () => {
    await using task = await place(rateLimit.with({ windowMs: 60_000, max: 1 }));

    await task.call("works");
    const error = await rejectionOf(task.call("works"));

    expect(Errors.rateLimitError.is(error) && error.data.limit).toBe(1);
    expect(task.runs).toEqual(["works"]);
  });

  it(`timeout ends what takes too long, and stops the body ${where}`, async () => {
    using time = stopTime();
    await using task = await place(timeout.with({ ttl: 150 }));

    const failed = rejectionOf(task.call("waits"));
    await task.waiting;
    time.advance(150);
    const error = await failed;

    expect(Errors.timeoutError.is(error) && error.data).toEqual({ timeoutMs: 150, id });
    await task.stopped;
  });

  it(`retry repeats a failure ${where}, unless it is the reply of another process`, async () => {
    await using task = await place(retry.with({ retries: 2, delayStrategy: () => 0 }));

    expect(failed.is(await rejectionOf(task.call("fails")))).toBe(true);

    expect(task.runs).toHaveLength(where.includes("routes") ? 1 : 3);
  });
});
