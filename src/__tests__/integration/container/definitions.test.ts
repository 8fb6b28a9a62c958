import {
  definitions,
  globals,
  r,
  resource,
  tag,
  task,
  event,
  hook,
  taskMiddleware,
  symbolFilePath,
} from "../../../index";

const body = async () => 1;
const one = r.resource("one").build();
const two = r.resource("two").build();

interface Definition {
  readonly id: string;
  readonly kind: string;
  readonly [symbolFilePath]: string;
  optional?(): unknown;
}

const samples: Record<string, readonly Definition[]> = {
  task: [r.task("x").run(body).build(), task({ id: "x", run: body })],
  resource: [r.resource("x").build(), resource({ id: "x" })],
  event: [r.event("x").build(), event({ id: "x" })],
  hook: [r.hook("x").on("*").run(body).build(), hook({ id: "x", on: "*", run: body })],
  tag: [r.tag("x").build(), tag({ id: "x" })],
  taskMiddleware: [r.middleware.task("x").run(body).build(), taskMiddleware({ id: "x", run: body })],
  error: [r.error("x").build()],
  asyncContext: [r.asyncContext("x").build()],
};

describe.each(Object.entries(samples))("a %s", (kind, forms) => {
  it.each(forms)(
    "a definition of any kind is frozen data with an id, a kind, its file and documentation",
    (definition) => {
      expect(definition).toMatchObject({ id: "x", kind, meta: {} });
      expect(Object.isFrozen(definition)).toBe(true);
      expect(definition[symbolFilePath]).toBe(__filename);
    },
  );

  it.each(forms)("copies of a definition of any kind, by spread or by its descriptors, know its file", (definition) => {
    const described: Definition = Object.create({}, Object.getOwnPropertyDescriptors(definition));

    expect({ ...definition }[symbolFilePath]).toBe(__filename);
    expect(described[symbolFilePath]).toBe(__filename);
    expect(Object.keys(definition)).toEqual(Object.getOwnPropertyNames(definition));
  });

  it.each(forms)("a definition of any kind has an optional form if it can be a dependency", (definition) => {
    const injectable = ["task", "resource", "event", "error", "asyncContext"].includes(kind);

    expect(definition.optional?.()).toEqual(
      injectable ? { inner: definition, [definitions.symbolOptionalDependency]: true } : undefined,
    );
  });
});

it("brands are registered symbols, the same in every copy of the package", () => {
  const brands = {
    symbolTask: "runner.task",
    symbolPhantomTask: "runner.task.phantom",
    symbolResource: "runner.resource",
    symbolResourceWithConfig: "runner.resourceWithConfig",
    symbolResourceForkedFrom: "runner.resourceForkedFrom",
    symbolEvent: "runner.event",
    symbolHook: "runner.hook",
    symbolMiddleware: "runner.middleware",
    symbolTaskMiddleware: "runner.taskMiddleware",
    symbolResourceMiddleware: "runner.resourceMiddleware",
    symbolMiddlewareConfigured: "runner.middlewareConfigured",
    symbolTag: "runner.tag",
    symbolTagConfigured: "runner.tagConfigured",
    symbolOptionalDependency: "runner.optionalDependency",
    symbolError: "runner.error",
    symbolAsyncContext: "runner.asyncContext",
    symbolTunneledBy: "runner.tunneledBy",
    symbolFilePath: "runner.filePath",
    CONTRACT: "runner.contract",
  } as const;

  for (const [name, key] of Object.entries(brands)) {
    expect(definitions[name as keyof typeof brands]).toBe(Symbol.for(key));
  }
});

describe("a builder", () => {
  it("a builder is frozen, shows its id, and stays as it was whatever is derived from it", () => {
    const base = r.task("x").dependencies({ one }).run(body);

    const [left, right] = [base.dependencies({ two }).build(), base.meta({ title: "Right" }).build()];

    expect(Object.isFrozen(base)).toBe(true);
    expect(base.id).toBe("x");
    expect([left.dependencies, right.dependencies]).toEqual([{ one, two }, { one }]);
    expect([left.meta, right.meta]).toEqual([{}, { title: "Right" }]);
  });

  it("a builder merges dependencies of either form, later keys winning", () => {
    const evaluate = (source: unknown, config?: unknown) =>
      typeof source === "function" ? ((source as (config: unknown) => unknown)(config) as object) : source;
    const mixed = r
      .resource<{ b: boolean }>("x")
      .dependencies({ first: one, second: one })
      .dependencies(({ b }) => (b ? { second: two } : {}))
      .build();
    const replaced = r
      .task("x")
      .dependencies({ one })
      .dependencies(() => ({ two }), { override: true })
      .run(body)
      .build();

    expect(evaluate(mixed.dependencies, { b: true })).toEqual({ first: one, second: two });
    expect(evaluate(mixed.dependencies, { b: false })).toEqual({ first: one, second: one });
    expect(evaluate(replaced.dependencies)).toEqual({ two });
  });

  it("a builder replaces scalars and the list of errors", () => {
    const built = r
      .task("x")
      .run(async () => "first")
      .run(async () => "second")
      .throws(["a", "b"])
      .throws(["c"])
      .meta({ title: "One" })
      .meta({ description: "Two" })
      .build();

    expect(built.throws).toEqual(["c"]);
    expect(built.meta).toEqual({ description: "Two" });
  });

  it("a builder copies the lists it is given", () => {
    const items = [one];
    const builder = r.resource("x").register(items).overrides(items);

    items.push(two);

    expect([builder.build().register, builder.build().overrides]).toEqual([[one], [one]]);
  });

  it("a builder leaves fields that were not given as documented", () => {
    expect(r.resource("x").build()).toMatchObject({
      register: [],
      overrides: [],
      tags: [],
      middleware: [],
      meta: {},
      dependencies: undefined,
      context: undefined,
    });
    expect(r.task("x").run(body).build()).toMatchObject({ dependencies: {}, middleware: [], tags: [], meta: {} });
    expect(r.hook("x").on("*").run(body).build()).toMatchObject({ order: 0, dependencies: {} });
    expect(r.event("x").parallel().build().parallel).toBe(true);
    expect(r.event("x").parallel(true).parallel(false).build().parallel).toBe(false);
  });
});

it("the builder namespace cannot be changed", () => {
  expect(Object.isFrozen(r)).toBe(true);
  expect(Object.isFrozen(r.middleware)).toBe(true);
});

it("the ids of what the framework provides are exact", () => {
  const { resources, events, tags, middleware } = globals;

  expect(Object.values(resources).map(({ id }) => id)).toEqual(
    expect.arrayContaining(
      [
        "store",
        "middlewareManager",
        "eventManager",
        "taskRunner",
        "logger",
        "serializer",
        "queue",
        "httpClientFactory",
      ].map((name) => `globals.resources.${name}`),
    ),
  );
  expect(events.ready.id).toBe("globals.events.ready");
  expect(
    [tags.system, tags.excludeFromGlobalHooks, tags.tunnel, tags.tunnelPolicy, tags.authValidator].map(({ id }) => id),
  ).toEqual([
    "globals.tags.system",
    "globals.tags.excludeFromGlobalHooks",
    "globals.tags.tunnel",
    "globals.tags.tunnel.middlewarePolicy",
    "globals.tags.authValidator",
  ]);
  expect(tags.tunnelTaskPolicy).toBe(tags.tunnelPolicy);
  expect(middleware.requireContext.id).toBe("globals.middleware.requireContext");
  expect(middleware.task.requireContext).toBe(middleware.requireContext);
  // The spelling of 5.5.
  expect(globals.middlewares).toBe(middleware);
});
