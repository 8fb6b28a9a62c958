import { Errors, globals, r, run, type RegisterableItems } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";
import { watchUncaught } from "../../support/watchUncaught";

const quiet = { shutdownHooks: false, errorBoundary: false } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));
/** What plain JavaScript passes: no type lets it. It fails, which is beside the point. */
const asyncly = (async () => {
  throw new Error("beside the point");
}) as never;

const base = r
  .resource("base")
  .init(async () => 1)
  .build();

describe("dependencies that nothing can be injected from", () => {
  const forms: readonly [string, unknown][] = [
    ["an asynchronous function", async () => ({ base })],
    ["a function without a result, as () => { base }", () => undefined],
    ["a function that gives null", () => null],
    ["a function that gives a list", () => [base]],
    ["a function that gives a Map", () => new Map([["base", base]])],
    ["a function that gives text", () => "base"],
  ];
  const owners: Record<string, (given: never) => RegisterableItems> = {
    task: (given) =>
      r
        .task("owner")
        .dependencies(given)
        .run(async () => 1)
        .build(),
    resource: (given) => r.resource("owner").dependencies(given).build(),
    hook: (given) =>
      r
        .hook("owner")
        .on("*")
        .dependencies(given)
        .run(async () => {})
        .build(),
    "task middleware": (given) =>
      r.middleware
        .task("owner")
        .dependencies(given)
        .run(async ({ next, task }) => next(task.input))
        .build(),
    "a task that adds some": (given) =>
      r
        .task("owner")
        .dependencies(() => ({}))
        .dependencies(given)
        .run(async () => 1)
        .build(),
    "an override": (given) =>
      r
        .resource("owner.of.override")
        .overrides([
          r
            .override(base)
            .dependencies(given)
            .init(async () => 2)
            .build(),
        ])
        .build(),
  };

  describe.each(Object.entries(owners))("of %s", (_owner, make) => {
    it.each(forms)("dependencies that nothing can be injected from are refused at boot: %s", async (_name, given) => {
      const error = await rejectionOf(run(appOf(base, make(given as never)), quiet));

      expect(Errors.invalidDefinitionError.is(error) && error.data).toMatchObject({ field: "dependencies" });
      expect(error.message).toMatch(/^Definition "(owner|base)" has an invalid dependencies: /);
      expect(error.message).toMatch(/\n {2}fix: (it is undefined|write \.dependencies\(\{ name: definition \}\))/);
    });
  });

  it.each<[string, unknown]>([
    ["a promise", Promise.resolve({ base })],
    ["a Map", new Map([["base", base]])],
    ["a Set", new Set([base])],
  ])("dependencies that can be looked into by no name are refused at the call: %s", (_name, given) => {
    const error = thrownBy(() => r.task("x").dependencies(given as never));

    expect(Errors.invalidDefinitionError.is(error) && error.data).toMatchObject({
      kind: "Task",
      field: "dependencies",
    });
  });
});

describe("an asynchronous function where nothing waits for one", () => {
  it.each(["task", "resource"] as const)(
    "an asynchronous .everywhere of %s middleware is refused, which would reach everything",
    async (kind) => {
      using uncaught = watchUncaught();
      const middleware = r.middleware[kind]("wide")
        .everywhere(asyncly)
        .run(async ({ next }: { next(): Promise<unknown> }) => next())
        .build();
      const task = r
        .task("t")
        .run(async () => 1)
        .build();

      const error = await rejectionOf(run(appOf(middleware, task, base), quiet));

      expect(error.message).toContain("a predicate of .everywhere(...) returned a promise");
      await settled();
      expect(uncaught.seen).toEqual([]);
    },
  );

  const { taskMiddleware } = { taskMiddleware: globals.middleware.task };
  const around: readonly [string, () => never][] = [
    ["config.key", () => taskMiddleware.rateLimit.with({ windowMs: 1000, max: 1, key: asyncly }) as never],
    ["config.keyBuilder", () => taskMiddleware.cache.with({ keyBuilder: asyncly }) as never],
    ["config.onlyIf", () => taskMiddleware.retry.with({ onlyIf: asyncly, retries: 1 }) as never],
    ["config.stopRetryIf", () => taskMiddleware.retry.with({ stopRetryIf: asyncly, retries: 1 }) as never],
    ["config.delayStrategy", () => taskMiddleware.retry.with({ delayStrategy: asyncly, retries: 1 }) as never],
  ];

  it.each(around)(
    "an asynchronous function of middleware fails the call that it was to decide about: %s",
    async (field, attach) => {
      using uncaught = watchUncaught();
      let runs = 0;
      const task = r
        .task("t")
        .middleware([attach()])
        .run(async () => {
          runs += 1;
          throw new Error("the task itself");
        })
        .build();
      await using app = await run(appOf(task), quiet);

      const error = await rejectionOf(app.runTask(task));

      expect(error.message).toBe(`${field} returned a promise; it has to be synchronous.`);
      expect(runs).toBeLessThanOrEqual(1);
      await settled();
      expect(uncaught.seen).toEqual([]);
    },
  );
});
