import { Errors, r, run, type IErrorHelper, type IResource, type RegisterableItems } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const firstLine = (error: Error): string => error.message.split("\n")[0] ?? "";

const missing = r.resource("missing").build();
const needsMissing = r.resource("needsMissing").dependencies({ missing }).build();
const unregisteredTag = r.tag("unregisteredTag").build();
const unregisteredMiddleware = r.middleware
  .task("unregisteredMiddleware")
  .run(async ({ next }) => next())
  .build();
const unregisteredEvent = r.event("unregisteredEvent").build();

const selfish: IResource = r
  .resource("selfish")
  .dependencies(() => ({ selfish }))
  .build();
const egg: IResource = r
  .resource("egg")
  .dependencies(() => ({ hen }))
  .build();
const hen = r.resource("hen").dependencies({ egg }).build();

const ping = r.event("ping").build();
const pong = r.event("pong").build();
const answerPing = r
  .hook("answerPing")
  .on(ping)
  .dependencies({ pong })
  .run(async () => {})
  .build();
const answerPong = r
  .hook("answerPong")
  .on(pong)
  .dependencies({ ping })
  .run(async () => {})
  .build();

interface Problem {
  readonly items: readonly RegisterableItems[];
  readonly error: IErrorHelper;
  readonly message: string;
  readonly data: object;
}

const problems: Record<string, Problem> = {
  "an id registered twice": {
    items: [
      r
        .task("same")
        .run(async () => 1)
        .build(),
      r.event("same").build(),
    ],
    error: Errors.duplicateRegistrationError,
    message: `Task "same" already registered. You might have used the same 'id' in two different components or you may have registered the same element twice.`,
    data: { type: "Task", id: "same", owners: ["app", "app"] },
  },
  "an object registered twice": {
    items: [ping, r.resource("feature").register(ping).build()],
    error: Errors.duplicateRegistrationError,
    message: `Event "ping" already registered. You might have used the same 'id' in two different components or you may have registered the same element twice.`,
    data: { type: "Event", id: "ping", owners: ["app", "feature"] },
  },
  "an id of the framework": {
    items: [r.resource("globals.resources.logger").build()],
    error: Errors.duplicateRegistrationError,
    message: `Resource "globals.resources.logger" already registered. You might have used the same 'id' in two different components or you may have registered the same element twice.`,
    data: { type: "Resource", id: "globals.resources.logger" },
  },
  "a builder that was not built": {
    items: [r.task("unbuilt").run(async () => 1) as never],
    error: Errors.unknownItemTypeError,
    message: "Unknown item type: [object Object].",
    data: { owner: "app" },
  },
  "something that is no definition": {
    items: ["service" as never],
    error: Errors.unknownItemTypeError,
    message: "Unknown item type: service.",
    data: { item: "service", owner: "app" },
  },
  "a middleware that is attached only": {
    items: [
      r
        .task("task")
        .middleware([unregisteredMiddleware])
        .run(async () => 1)
        .build(),
    ],
    error: Errors.middlewareNotRegisteredError,
    message: `Middleware inside task "task" depends on "unregisteredMiddleware" but it's not registered. Did you forget to register it?`,
    data: { type: "task", source: "task", middlewareId: "unregisteredMiddleware" },
  },
  "a middleware of the other kind, as JavaScript lets through": {
    items: [
      r
        .resource("resource")
        .middleware([unregisteredMiddleware as never])
        .build(),
      unregisteredMiddleware,
    ],
    error: Errors.middlewareNotRegisteredError,
    message: `Middleware inside resource "resource" depends on "unregisteredMiddleware" but it's not registered. Did you forget to register it?`,
    data: {
      type: "resource",
      source: "resource",
      middlewareId: "unregisteredMiddleware",
      given: "taskMiddleware",
    },
  },
  "a tag that is carried only": {
    items: [r.event("event").tags([unregisteredTag]).build()],
    error: Errors.tagNotFoundError,
    message: `Tag "unregisteredTag" not registered. Did you forget to register it inside a resource?`,
    data: { id: "unregisteredTag", usedBy: "event" },
  },
  "a dependency nobody registers": {
    items: [r.resource("feature").register(needsMissing).build()],
    error: Errors.dependencyNotFoundError,
    message: "Dependency Resource missing not found. Did you forget to register it through a resource?",
    data: {
      key: "Resource missing",
      neededBy: "needsMissing",
      dependencyKey: "missing",
      registrationPath: ["app", "feature", "needsMissing"],
    },
  },
  "a dependency on an event nobody registers": {
    items: [
      r
        .task("task")
        .dependencies({ changed: unregisteredEvent })
        .run(async () => 1)
        .build(),
    ],
    error: Errors.dependencyNotFoundError,
    message: "Dependency Event unregisteredEvent not found. Did you forget to register it through a resource?",
    data: { key: "Event unregisteredEvent", neededBy: "task", dependencyKey: "changed" },
  },
  "a hook on an event nobody registers": {
    items: [
      r
        .hook("hook")
        .on([ping, unregisteredEvent])
        .run(async () => {})
        .build(),
      ping,
    ],
    error: Errors.eventNotFoundError,
    message: `Event "unregisteredEvent" not found. Did you forget to register it?`,
    data: { id: "unregisteredEvent", neededBy: "hook" },
  },
  "a dependency of a kind that cannot be injected": {
    items: [
      r
        .resource("feature")
        .dependencies({ answerPing: answerPing as never })
        .build(),
      answerPing,
      ping,
      pong,
    ],
    error: Errors.unknownItemTypeError,
    message: "Unknown item type: [object Object].",
    data: { owner: "feature", key: "answerPing" },
  },
  "a resource that needs itself": {
    items: [selfish],
    error: Errors.circularDependenciesError,
    message: "Circular dependencies detected:",
    data: { cycles: ["selfish -> selfish"] },
  },
  "resources that need each other": {
    items: [egg, hen],
    error: Errors.circularDependenciesError,
    message: "Circular dependencies detected:",
    data: { cycles: ["egg -> hen -> egg"] },
  },
  "hooks that emit each other's events": {
    items: [ping, pong, answerPing, answerPong],
    error: Errors.eventEmissionCycleError,
    message: "Event emission cycles detected between hooks and events:",
    data: { cycles: ["ping -> pong -> ping"] },
  },
};

describe.each(Object.entries(problems))("%s", (_name, { items, error: helper, message, data }) => {
  it.each([false, true])("a boot problem fails the boot with a typed error (dry run: %s)", async (dryRun) => {
    const init = jest.fn(async () => {});
    const witness = r.resource("witness").init(init).build();

    const error = await rejectionOf(run(appOf(witness, ...items), { dryRun }));

    expect(firstLine(error)).toBe(message);
    expect(helper.is(error)).toBe(true);
    expect(error).toMatchObject({ name: helper.id, data });
    expect(init).not.toHaveBeenCalled();
  });
});

describe("the message of a boot problem", () => {
  it("the message of a boot problem shows the way from the root to the definition that misses a dependency", async () => {
    const error = await rejectionOf(run(appOf(r.resource("feature").register(needsMissing).build())));

    expect(error.message.split("\n")[1]).toBe(
      `  fix: "needsMissing" lists it as "missing" (app -> feature -> needsMissing); add "missing" to .register([...]) of a resource of the app.`,
    );
  });

  it("the message of a boot problem names owner and key of an undefined dependency", async () => {
    const task = r
      .task("orders.place")
      .dependencies({ mailer: undefined as never })
      .run(async () => 1)
      .build();

    const error = await rejectionOf(run(appOf(task)));

    expect(Errors.unknownItemTypeError.is(error)).toBe(true);
    expect(error.message.split("\n")).toEqual([
      "Unknown item type: undefined.",
      `  fix: "orders.place" lists "mailer" as undefined: usually a circular import; use .dependencies(() => ({ ... })).`,
    ]);
  });

  const unbuilt = r.task("orders.draft").run(async () => 1);
  const consumer = r
    .task("orders.place")
    .dependencies({ draft: unbuilt as never })
    .run(async () => 1)
    .build();

  it.each([
    [appOf(unbuilt as never), `"orders.draft" is a builder, where "app" registers it: call .build() on it.`],
    [appOf(consumer), `"orders.draft" is a builder, where "orders.place" lists it as "draft": call .build() on it.`],
    [r.resource("root"), `"root" is a builder: call .build() on it.`],
    [consumer, `run(...) takes a resource, or what .with(config) of one returns.`],
    [undefined, `run(...) takes a resource, or what .with(config) of one returns.`],
  ])("the message of a boot problem says what to do about something that is no definition (%#)", async (root, fix) => {
    const error = await rejectionOf(run(root as never));

    expect(Errors.unknownItemTypeError.is(error)).toBe(true);
    expect(error.message.split("\n").slice(1)).toEqual([`  fix: ${fix}`]);
  });

  it.each([
    ["nobody registered", []],
    [
      "another kind registered",
      [
        r
          .resource("nowhere")
          .init(async () => 1)
          .build(),
      ],
    ],
  ])("the message of a boot problem names the resource whose override %s", async (_name, items) => {
    const replacement = r
      .task("nowhere")
      .run(async () => 1)
      .build();

    const error = await rejectionOf(run(r.resource("app").register(items).overrides([replacement]).build()));

    expect(Errors.dependencyNotFoundError.is(error) && error.data).toEqual({ key: "nowhere", overriddenBy: "app" });
    expect(error.message.split("\n").slice(1)).toEqual([
      `  fix: "app" overrides it: register a definition of that id and kind, or correct the id of the override.`,
    ]);
  });

  it("the message of a boot problem says how cycles may be resolved, for middleware as well", async () => {
    const audited = r
      .task("audited")
      .run(async () => 1)
      .build();
    const everywhere = r.middleware
      .task("middleware.audit")
      .everywhere(true)
      .dependencies({ audited })
      .run(async ({ next }) => next())
      .build();

    const error = await rejectionOf(run(appOf(everywhere, audited)));

    expect(Errors.circularDependenciesError.is(error)).toBe(true);
    expect(error.message).toBe(
      [
        "Circular dependencies detected:",
        "  • middleware.audit -> audited -> middleware.audit",
        "",
        "To resolve circular dependencies:",
        "  • Consider refactoring to reduce coupling between components",
        "  • Extract shared dependencies into separate resources",
        "  • For middleware: you can filter out tasks/resources using everywhere(fn)",
        "  • Consider using events for communication instead of direct dependencies",
      ].join("\n"),
    );
  });

  it("the message of a boot problem of an emission cycle lists every cycle", async () => {
    const error = await rejectionOf(run(appOf(ping, pong, answerPing, answerPong)));

    expect(error.message).toBe(
      [
        "Event emission cycles detected between hooks and events:",
        "  • ping -> pong -> ping",
        "",
        "This was detected at compile time (dry-run). Break the cycle by avoiding mutual emits between hooks or scoping hooks using tags.",
      ].join("\n"),
    );
  });
});

describe("a hole in a list, as a circular import leaves it", () => {
  const hole = undefined as never;

  it.each<[string, string, RegisterableItems]>([
    ["tags", "x", r.event("x").tags([hole]).build()],
    [
      "tags",
      "x",
      r
        .task("x")
        .tags([hole])
        .run(async () => 1)
        .build(),
    ],
    [
      "middleware",
      "x",
      r
        .task("x")
        .middleware([hole])
        .run(async () => 1)
        .build(),
    ],
    ["middleware", "x", r.resource("x").middleware([hole]).build()],
  ])("a hole in %s, as a circular import leaves it, is named with its owner", async (list, owner, item) => {
    const error = await rejectionOf(run(appOf(item)));

    expect(Errors.unknownItemTypeError.is(error) && error.data).toEqual({ item: undefined, owner, list });
    expect(error.message.split("\n")[1]).toBe(`  fix: "x" lists it in .${list}([...]): usually a circular import.`);
  });

  it("a hole in what a hook listens to is named with its owner", async () => {
    const error = await rejectionOf(
      run(
        appOf(
          r
            .hook("x")
            .on([hole])
            .run(async () => {})
            .build(),
        ),
      ),
    );

    expect(Errors.unknownItemTypeError.is(error) && error.data).toEqual({ item: undefined, owner: "x", key: "on" });
  });
});

describe("several problems at once", () => {
  const all = appOf(
    ...[needsMissing, selfish, ping, pong, answerPing, answerPong],
    r
      .task("tagged")
      .tags([unregisteredTag])
      .run(async () => 1)
      .build(),
    r.resource("ping").build(),
  );

  it("several problems at once reject with the first of them, holding and listing all", async () => {
    const error = await rejectionOf(run(all));

    const { errors } = error as Error & { errors: Error[] };
    expect(errors[0]).toBe(error);
    expect(errors.map(({ name }) => name)).toEqual([
      "runner.errors.duplicateRegistration",
      "runner.errors.tagNotFound",
      "runner.errors.dependencyNotFound",
      "runner.errors.circularDependencies",
      "runner.errors.eventEmissionCycle",
    ]);
    expect(Errors.duplicateRegistrationError.is(error)).toBe(true);
    expect(firstLine(error)).toMatch(/^Event "ping" already registered/);
    for (const other of errors.slice(1)) expect(error.message).toContain(`\n  - ${firstLine(other)}`);
  });

  it("several problems at once come in the order of registration, attachments, overrides, dependencies", async () => {
    const replacement = r
      .task("nowhere")
      .run(async () => 1)
      .build();
    const broken = r
      .resource("app")
      .register([needsMissing, undefined as never])
      .overrides([replacement])
      .build();

    const error = await rejectionOf(run(broken));

    expect((error as Error & { errors: Error[] }).errors.map(firstLine)).toEqual([
      "Unknown item type: undefined.",
      "Dependency nowhere not found. Did you forget to register it through a resource?",
      "Dependency Resource missing not found. Did you forget to register it through a resource?",
    ]);
  });
});

describe("a dry run", () => {
  it("a dry run of a sound application initialises and locks nothing", async () => {
    const init = jest.fn(async () => "value");
    const dispose = jest.fn(async () => {});
    const root = r.resource("app").init(init).dispose(dispose).build();

    const app = await run(root, { dryRun: true });

    expect(app.value).toBeUndefined();
    expect(app.store.isLocked).toBe(false);
    await app.dispose();
    expect(init).not.toHaveBeenCalled();
    expect(dispose).not.toHaveBeenCalled();
  });
});

it("an optional event that is not registered is no problem", async () => {
  const task = r
    .task("task")
    .dependencies({ changed: unregisteredEvent.optional() })
    .run(async (_: void, { changed }) => changed)
    .build();

  await using app = await run(appOf(task));

  expect(await app.runTask(task)).toBeUndefined();
});
