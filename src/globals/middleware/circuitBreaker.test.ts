import { array, assert, asyncProperty, constantFrom, integer, nat, oneof, record } from "fast-check";
import { CircuitBreakerState, Errors, globals, r, run } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred, type Deferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { circuitBreaker } = globals.middleware.task;
type Config = Parameters<typeof circuitBreaker.with>[0];

/** A task that fails on demand, behind a breaker. */
const breaking = (config: Config) =>
  r
    .task("breaking")
    .middleware([circuitBreaker.with(config)])
    .run(async (input: "works" | "fails") => {
      if (input === "fails") throw new Error("no");
      return input;
    })
    .build();

describe("the circuit breaker", () => {
  beforeEach(
    () => void jest.useFakeTimers({ now: 1_000_000, doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] }),
  );
  afterEach(() => void jest.useRealTimers());

  it("the circuit breaker refuses calls after a number of failures in a row, and tries again after a time", async () => {
    const task = breaking({ failureThreshold: 2, resetTimeout: 1000 });
    await using app = await run(appOf(task), quiet);
    const { statusMap } = app.getResourceValue(globals.resources.circuitBreaker);
    const fail = () => rejectionOf(app.runTask(task, "fails"));

    await fail();
    await app.runTask(task, "works");
    await fail();
    expect(statusMap.get("breaking")).toMatchObject({ state: "CLOSED", failures: 1, lastFailureTime: 1_000_000 });
    await fail();
    jest.advanceTimersByTime(400);
    const refused = await rejectionOf(app.runTask(task, "works"));

    expect(Errors.circuitOpenError.is(refused) && refused.data).toEqual({ taskId: "breaking", retryAfterMs: 600 });
    expect([refused.name, refused.message]).toEqual(["CircuitBreakerOpenError", 'Circuit is OPEN for task "breaking"']);
    jest.advanceTimersByTime(600);
    await fail();
    expect(statusMap.get("breaking")?.state).toBe(CircuitBreakerState.OPEN);
    jest.advanceTimersByTime(1000);
    expect(await app.runTask(task, "works")).toBe("works");
    expect(statusMap.get("breaking")).toMatchObject({ state: "CLOSED", failures: 0 });
  });

  it("the circuit breaker opens after five failures and for thirty seconds unless it is told otherwise", async () => {
    const task = r
      .task("breaking")
      .middleware([circuitBreaker])
      .run(async () => {
        throw new Error("no");
      })
      .build();
    await using app = await run(appOf(task), quiet);

    for (let failures = 0; failures < 5; failures += 1) {
      expect((await rejectionOf(app.runTask(task))).message).toBe("no");
    }
    jest.advanceTimersByTime(29_999);
    expect(Errors.circuitOpenError.is(await rejectionOf(app.runTask(task)))).toBe(true);
    jest.advanceTimersByTime(1);
    expect((await rejectionOf(app.runTask(task))).message).toBe("no");
  });

  it("the circuit breaker writes state and failures into the journal as they were before the call", async () => {
    const seen: unknown[] = [];
    const { state, failures } = circuitBreaker.journalKeys;
    const watch = r.middleware
      .task("watch")
      .run(async ({ next, journal }) => {
        try {
          return await next();
        } finally {
          seen.push([journal.get(state), journal.get(failures)]);
        }
      })
      .build();
    const task = r
      .task("task")
      .middleware([watch, circuitBreaker.with({ failureThreshold: 1, resetTimeout: 10 })])
      .run(async () => {
        throw new Error("no");
      })
      .build();
    await using app = await run(appOf(watch, task), quiet);

    await rejectionOf(app.runTask(task));
    await rejectionOf(app.runTask(task));
    jest.advanceTimersByTime(10);
    await rejectionOf(app.runTask(task));

    expect(seen).toEqual([
      ["CLOSED", 0],
      ["OPEN", 1],
      ["HALF_OPEN", 1],
    ]);
  });

  it("the circuit breaker lets one call at a time try whether the task works again, or as many as it is told", async () => {
    for (const halfOpenProbes of [1, 2]) {
      const gates: Deferred<string>[] = [];
      const task = r
        .task("task")
        .middleware([circuitBreaker.with({ failureThreshold: 1, resetTimeout: 10, halfOpenProbes })])
        .run(async () => {
          const gate = createDeferred<string>();
          gates.push(gate);
          return gate.promise;
        })
        .build();
      await using app = await run(appOf(task), quiet);
      const first = rejectionOf(app.runTask(task));
      gates[0]?.reject(new Error("no"));
      await first;
      jest.advanceTimersByTime(10);

      const probes = Array.from({ length: halfOpenProbes }, () => app.runTask(task));
      const refused = await rejectionOf(app.runTask(task));

      expect(Errors.circuitOpenError.is(refused) && refused.data.retryAfterMs).toBe(0);
      gates.slice(1).forEach((gate) => gate.resolve("works"));
      expect(await Promise.all(probes)).toEqual(probes.map(() => "works"));
    }
  });

  it("the circuit breaker counts no call that its caller left, and lets the next one try", async () => {
    const task = r
      .task("task")
      .middleware([circuitBreaker.with({ failureThreshold: 1, resetTimeout: 10 })])
      .run(async (input: string, _dependencies, { signal }) => {
        if (input === "fails") throw new Error("no");
        if (input === "works") return input;
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      })
      .build();
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const leave = async () => {
      const controller = new AbortController();
      const outcome = rejectionOf(app.runTask(task, "waits", { signal: controller.signal }));
      controller.abort(new Error("left"));
      await outcome;
    };
    const { statusMap } = app.getResourceValue(globals.resources.circuitBreaker);

    await leave();
    expect(statusMap.get("task")?.state).toBe("CLOSED");
    await rejectionOf(app.runTask(task, "fails"));
    jest.advanceTimersByTime(10);
    await leave();
    expect(statusMap.get("task")?.state).toBe("HALF_OPEN");
    expect(await app.runTask(task, "works")).toBe("works");
  });

  it("the circuit breaker refuses options that cannot be meant", () => {
    expect(thrownBy(() => circuitBreaker.with({ failureThreshold: 0 })).message).toContain(
      "failureThreshold must be a whole number, 1 or more, got 0.",
    );
  });

  it("the circuit breaker is the state machine that it is described as, for any order of calls, outcomes and times", async () => {
    const step = oneof(
      record({ kind: constantFrom("call" as const) }),
      record({ kind: constantFrom("settle" as const), which: nat(5), works: constantFrom(true, false) }),
      record({ kind: constantFrom("wait" as const), ms: integer({ min: 1, max: 80 }) }),
    );
    const resetTimeout = 50;
    await assert(
      asyncProperty(
        integer({ min: 1, max: 3 }),
        integer({ min: 1, max: 2 }),
        array(step, { maxLength: 40 }),
        async (failureThreshold, halfOpenProbes, steps) => {
          const running: { readonly gate: Deferred<void>; readonly era: number }[] = [];
          const task = r
            .task("task")
            .middleware([circuitBreaker.with({ failureThreshold, resetTimeout, halfOpenProbes })])
            .run(async () => {
              const gate = createDeferred<void>();
              running.push({ gate, era: model.era });
              return gate.promise;
            })
            .build();
          await using app = await run(appOf(task), quiet);
          const status = () => app.getResourceValue(globals.resources.circuitBreaker).statusMap.get("task")?.state;
          const model = { state: "CLOSED", era: 0, failures: 0, openedAt: 0, probes: 0 };
          const turn = (state: string) => Object.assign(model, { state, era: model.era + 1, probes: 0 });
          const outcomes: Promise<unknown>[] = [];

          for (const each of steps) {
            if (each.kind === "wait") jest.advanceTimersByTime(each.ms);
            else if (each.kind === "call") {
              if (model.state === "OPEN" && Date.now() - model.openedAt >= resetTimeout) turn("HALF_OPEN");
              const isAdmitted =
                model.state === "CLOSED" || (model.state === "HALF_OPEN" && model.probes < halfOpenProbes);
              if (isAdmitted && model.state === "HALF_OPEN") model.probes += 1;
              const before = running.length;
              outcomes.push(app.runTask(task).catch(() => {}));
              await Promise.resolve();
              expect(running.length - before).toBe(isAdmitted ? 1 : 0);
            } else if (running.length > 0) {
              const [{ gate, era }] = running.splice(each.which % running.length, 1) as [(typeof running)[number]];
              if (each.works) gate.resolve();
              else gate.reject(new Error("no"));
              await new Promise((resolve) => setImmediate(resolve));
              if (era === model.era) {
                model.failures = each.works ? 0 : model.failures + 1;
                if (each.works && model.state === "HALF_OPEN") turn("CLOSED");
                if (!each.works && (model.state === "HALF_OPEN" || model.failures >= failureThreshold)) {
                  turn("OPEN").openedAt = Date.now();
                }
              }
            }
            if (status() !== undefined) expect(status()).toBe(model.state);
          }
          for (const { gate } of running) gate.resolve();
          await Promise.all(outcomes);
        },
      ),
      { numRuns: 60 },
    );
  });
});
