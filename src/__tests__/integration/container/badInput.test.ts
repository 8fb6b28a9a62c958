import {
  asyncContext,
  createContext,
  defineError,
  Errors,
  event,
  hook,
  r,
  resource,
  resourceMiddleware,
  run,
  tag,
  task,
  taskMiddleware,
} from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

const body = async () => 1;

describe("an id that is no non-empty string", () => {
  const makers: Record<string, (id: never) => unknown> = {
    "r.task": r.task,
    "r.task.phantom": r.task.phantom,
    "r.resource": r.resource,
    "r.event": r.event,
    "r.hook": r.hook,
    "r.tag": r.tag,
    "r.error": r.error,
    "r.asyncContext": r.asyncContext,
    "r.middleware.task": r.middleware.task,
    "r.middleware.resource": r.middleware.resource,
    task: (id) => task({ id, run: body }),
    "task.phantom": (id) => task.phantom({ id }),
    resource: (id) => resource({ id }),
    event: (id) => event({ id }),
    hook: (id) => hook({ id, on: "*", run: body }),
    tag: (id) => tag({ id }),
    taskMiddleware: (id) => taskMiddleware({ id, run: body }),
    resourceMiddleware: (id) => resourceMiddleware({ id, run: body }),
    asyncContext: (id) => asyncContext({ id }),
    fork: (id) => r.resource("base").build().fork(id),
  };

  describe.each(Object.entries(makers))("%s", (_name, make) => {
    it.each([undefined, null, "", "  ", 7, {}])("a definition of any kind refuses the id %j", (id) => {
      const error = thrownBy(() => make(id as never));

      expect(Errors.invalidIdError.is(error) && error.data.id).toBe(id);
      expect(error.message).toMatch(/^(A [^aeiou]|An [aeiou])[a-z ]+ needs a non-empty string id, got .+\.$/);
    });
  });

  it.each([null, "", 7])(
    "an id that is no non-empty string is refused for errors and contexts made by name: %j",
    (id) => {
      expect(() => createContext(id as never)).toThrow(/needs a non-empty string id/);
      expect(() => defineError({ id: id as never })).toThrow(/needs a non-empty string id/);
      if (typeof id === "string") expect(() => defineError(id).build()).toThrow(/needs a non-empty string id/);
    },
  );
});

describe("a builder that lacks something", () => {
  const ping = r.event("ping").build();
  const incomplete: [string, () => unknown, string, string[], string][] = [
    [
      "a task",
      () => r.task("x").build(),
      "task",
      ["run"],
      'Task "x" is incomplete. Missing required: run. Call .run() before .build().',
    ],
    [
      "a hook without anything",
      () => r.hook("x").build(),
      "hook",
      ["on", "run"],
      'Hook "x" is incomplete. Missing required: on, run. Call .on() and .run() before .build().',
    ],
    [
      "a hook without run",
      () => r.hook("x").on(ping).build(),
      "hook",
      ["run"],
      'Hook "x" is incomplete. Missing required: run. Call .run() before .build().',
    ],
    [
      "a hook without on",
      // @ts-expect-error -- JavaScript can
      () => r.hook("x").run(body).build(),
      "hook",
      ["on"],
      'Hook "x" is incomplete. Missing required: on. Call .on() before .build().',
    ],
    [
      "a task middleware",
      () => r.middleware.task("x").build(),
      "task-middleware",
      ["run"],
      'Task middleware "x" is incomplete. Missing required: run. Call .run() before .build().',
    ],
    [
      "a resource middleware",
      () => r.middleware.resource("x").build(),
      "resource-middleware",
      ["run"],
      'Resource middleware "x" is incomplete. Missing required: run. Call .run() before .build().',
    ],
  ];

  it.each(incomplete)("a builder that lacks something says what: %s", (_name, build, type, missingFields, message) => {
    const error = thrownBy(build);

    expect(Errors.builderIncompleteError.is(error) && error.data).toEqual({ type, builderId: "x", missingFields });
    expect(error.message).toBe(message);
  });
});

describe("a schema that is none", () => {
  const noSchema = { validate: () => true } as never;
  const makers: [string, string, () => unknown][] = [
    ["Task", "inputSchema", () => r.task("x").inputSchema(noSchema).run(body).build()],
    ["Task", "resultSchema", () => task({ id: "x", resultSchema: noSchema, run: body })],
    ["Resource", "configSchema", () => r.resource("x").configSchema(noSchema).build()],
    ["Resource", "resultSchema", () => r.resource("x").resultSchema(noSchema).build()],
    ["Event", "payloadSchema", () => r.event("x").payloadSchema(noSchema).build()],
    ["Tag", "configSchema", () => tag({ id: "x", configSchema: noSchema })],
    ["Middleware", "configSchema", () => r.middleware.task("x").configSchema(noSchema).run(body).build()],
    ["Async context", "configSchema", () => r.asyncContext("x").configSchema(noSchema).build()],
  ];

  it.each(makers)("a schema that is none is refused where it is given: %s %s", (kind, field, make) => {
    const error = thrownBy(make);

    expect(Errors.invalidDefinitionError.is(error) && error.data).toMatchObject({ kind, id: "x", field });
    expect(error.message).toBe(
      `${kind} "x" has an invalid ${field}: expected an object with parse(value), or a Standard Schema, got [object Object].`,
    );
  });
});

describe("something of the wrong form given to a builder", () => {
  const label = r.tag("label").build();
  const wrong: [string, string, string, (given: never) => unknown, unknown][] = [
    ["Task", "middleware", "a list", (given) => r.task("x").middleware(given), label],
    ["Task", "tags", "a list", (given) => r.task("x").tags(given), label],
    ["Task", "tags", "a list", (given) => r.task.phantom("x").tags(given), undefined],
    ["Task", "throws", "a list", (given) => r.task("x").throws(given), "id"],
    ["Task", "run", "a function", (given) => r.task("x").run(given), "x"],
    ["Task", "dependencies", "a map", (given) => r.task("x").dependencies(given), 5],
    ["Resource", "middleware", "a list", (given) => r.resource("x").middleware(given), label],
    ["Resource", "tags", "a list", (given) => r.resource("x").tags([label]).tags(given), label],
    ["Resource", "overrides", "a list", (given) => r.resource("x").overrides(given), label],
    ["Resource", "dependencies", "a map", (given) => r.resource("x").dependencies(given), [label]],
    ["Resource", "init", "a function", (given) => r.resource("x").init(given), 5],
    ["Resource", "dispose", "a function", (given) => r.resource("x").dispose(given), 5],
    ["Resource", "context", "a function", (given) => r.resource("x").context(given), {}],
    ["Hook", "on", "an event", (given) => r.hook("x").on(given), "e"],
    ["Hook", "on", "an event", (given) => r.hook("x").on(given), undefined],
    ["Hook", "on", "an event", (given) => r.hook("x").on(given), ["e"]],
    ["Hook", "tags", "a list", (given) => r.hook("x").tags(given), label],
    ["Hook", "run", "a function", (given) => r.hook("x").run(given), null],
    ["Hook", "dependencies", "a map", (given) => r.hook("x").dependencies(given), null],
    ["Middleware", "run", "a function", (given) => r.middleware.task("x").run(given), 5],
    ["Middleware", "tags", "a list", (given) => r.middleware.resource("x").tags(given), label],
    ["Middleware", "dependencies", "a map", (given) => r.middleware.task("x").dependencies(given), 5],
    ["Event", "tags", "a list", (given) => r.event("x").tags(given), label],
  ];

  it.each(wrong)(
    "something of the wrong form given to a builder is refused at the call: %s %s",
    (kind, field, expected, give, received) => {
      const error = thrownBy(() => give(received as never));

      expect(Errors.invalidDefinitionError.is(error) && error.data).toMatchObject({ kind, id: "x", field, received });
      expect(error.message).toContain(`${kind} "x" has an invalid ${field}: expected ${expected}`);
      expect(error.message).toMatch(/\n.+\.$/);
    },
  );

  it("something of the wrong form given to a builder says how to write it", () => {
    expect(() => r.task("x").middleware(label as never)).toThrow("write .middleware([...]), also for a single one.");
    expect(() => r.hook("x").on(undefined as never)).toThrow("it is undefined: usually a circular import.");
  });
});

describe("a root that cannot be run", () => {
  it.each<[string, unknown]>([
    ["a task", r.task("x").run(body).build()],
    ["a builder", r.resource("x")],
    ["undefined", undefined],
    ["a string", "app"],
  ])("%s", async (_name, root) => {
    const error = await rejectionOf(run(root as never));

    expect(Errors.unknownItemTypeError.is(error)).toBe(true);
    expect(error.message).toMatch(/^Unknown item type: /);
  });
});

describe("functions of a definition that throw during boot", () => {
  it.each([
    [
      "register",
      r
        .resource("x")
        .register(() => {
          throw new Error("boom");
        })
        .build(),
    ],
    [
      "dependencies",
      r
        .resource("x")
        .dependencies(() => {
          throw new Error("boom");
        })
        .build(),
    ],
    [
      "everywhere",
      r.middleware
        .task("x")
        .everywhere(() => {
          throw new Error("boom");
        })
        .run(body)
        .build(),
    ],
  ])(
    "a function of a definition that throws during boot rejects the run with what it threw: %s",
    async (_name, item) => {
      expect((await rejectionOf(run(appOf(item, r.task("t").run(body).build())))).message).toBe("boom");
    },
  );

  it("a context function that throws during boot is a failed init", async () => {
    const broken = r
      .resource("x")
      .context(() => {
        throw new Error("boom");
      })
      .build();

    expect((await rejectionOf(run(appOf(broken)))).message).toBe('Resource "x" initialization failed: boom');
  });
});

it("an error with an impossible httpCode is refused", () => {
  expect(() => r.error("x").httpCode(99).build()).toThrow(
    new TypeError('Error "x" has httpCode 99; use an integer from 100 to 599.'),
  );
});

it("definitions cannot be changed by accident", () => {
  const definition = r.task("x").run(body).build() as { id: string };

  expect(() => {
    definition.id = "y";
  }).toThrow(TypeError);
});

it("a classic hook without on is stored and receives nothing", async () => {
  const heard = jest.fn(body);
  const ping = r.event("ping").build();
  await using app = await run(appOf(ping, hook({ id: "deaf", run: heard } as never)));

  await app.emitEvent(ping);

  expect(app.store.hooks.has("deaf")).toBe(true);
  expect(heard).not.toHaveBeenCalled();
});
