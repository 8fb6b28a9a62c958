import { defineOverride, Errors, globals, override, r, run, type OverridableElements } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const mailer = r
  .resource("mailer")
  .init(async () => "smtp")
  .build();
const named = (name: string) => override(mailer, { init: async () => name });

/** Who wins: the mailer of an app whose feature registers and overrides as told. */
async function winner(levels: {
  root?: OverridableElements[];
  feature?: OverridableElements[];
  inner?: OverridableElements[];
}) {
  const inner = r
    .resource("inner")
    .register(mailer)
    .overrides(levels.inner ?? [])
    .build();
  const feature = r
    .resource("feature")
    .register(inner)
    .overrides(levels.feature ?? [])
    .build();
  await using app = await run(
    r
      .resource("app")
      .register(feature)
      .overrides(levels.root ?? [])
      .build(),
  );
  return app.getResourceValue(mailer);
}

describe("which override wins", () => {
  it("which override wins is the root's before a child's", async () => {
    expect(await winner({ root: [named("root")], feature: [named("feature")] })).toBe("root");
  });

  it("which override wins is the parent's before its child's, also below the root", async () => {
    expect(await winner({ feature: [named("feature")], inner: [named("inner")] })).toBe("feature");
  });

  it("which override wins is the later one of a list, and the later registered one of siblings", async () => {
    const sibling = (id: string) =>
      r
        .resource(id)
        .overrides([named(id)])
        .build();

    await using app = await run(appOf(mailer, sibling("a"), sibling("b")));

    expect(app.getResourceValue(mailer)).toBe("b");
    expect(await winner({ root: [named("first"), named("second")] })).toBe("second");
  });

  it("which override wins is the one a resource lists itself before those its overriding resources bring", async () => {
    const inner = r.resource("inner").register(mailer).build();
    const bringing = r
      .override(inner)
      .overrides([named("brought")])
      .build();
    const app = (overrides: OverridableElements[]) => r.resource("app").register(inner).overrides(overrides).build();
    await using only = await run(app([bringing]));
    await using listedFirst = await run(app([named("own"), bringing]));
    await using listedLast = await run(app([bringing, named("own")]));

    const values = [only, listedFirst, listedLast].map((each) => each.getResourceValue(mailer));

    expect(values).toEqual(["brought", "own", "own"]);
  });

  it("which override wins ignores null and undefined", async () => {
    expect(await winner({ root: [null, undefined] })).toBe("smtp");
  });
});

describe("an override", () => {
  it("an override of an id that is not registered is refused", async () => {
    const error = await rejectionOf(
      run(
        r
          .resource("app")
          .overrides([named("x")])
          .build(),
      ),
    );

    expect(Errors.dependencyNotFoundError.is(error)).toBe(true);
    expect(error.message.split("\n")[0]).toBe(
      "Dependency mailer not found. Did you forget to register it through a resource?",
    );
  });

  it("an override of an id that belongs to another kind is refused", async () => {
    const task = r
      .task("mailer")
      .run(async () => 1)
      .build();

    const error = await rejectionOf(run(r.resource("app").register(mailer).overrides([task]).build()));

    expect(Errors.dependencyNotFoundError.is(error)).toBe(true);
  });

  it("an override may be any definition of the same id and kind", async () => {
    const fresh = r
      .resource("mailer")
      .init(async () => "fresh")
      .build();

    expect(await winner({ root: [fresh] })).toBe("fresh");
  });

  it("an override reaches every dependant, and calls by id or definition", async () => {
    const greet = r
      .task("greet")
      .run(async (name: string) => `hello ${name}`)
      .build();
    const twice = r
      .task("twice")
      .dependencies({ greet })
      .run(async (name: string, { greet }) => [await greet(name), await greet(name)])
      .build();
    const loud = r
      .override(greet)
      .run(async (name) => `HELLO ${name}`)
      .build();

    await using app = await run(r.resource("app").register([greet, twice]).overrides([loud]).build());

    expect(await app.runTask(twice, "a")).toEqual(["HELLO a", "HELLO a"]);
    expect(await app.runTask("greet", "b")).toBe("HELLO b");
    expect(await app.runTask(greet, "c")).toBe("HELLO c");
    expect(app.store.tasks.get("greet")?.task).toBe(loud);
    expect([...app.store.overrides.keys()]).toEqual(["greet"]);
  });

  it("an override keeps the config given at registration unless it brings its own", async () => {
    const port = r
      .resource<{ port: number }>("port")
      .init(async ({ port }) => port)
      .build();
    const shifted = override(port, { init: async ({ port }) => port + 1000 });
    const app = (item: OverridableElements) =>
      r
        .resource("app")
        .register(port.with({ port: 80 }))
        .overrides([item])
        .build();

    await using kept = await run(app(shifted));
    await using replaced = await run(app(shifted.with({ port: 1 })));

    expect([kept.getResourceValue(port), kept.getResourceConfig(port)]).toEqual([1080, { port: 80 }]);
    expect([replaced.getResourceValue(port), replaced.getResourceConfig(port)]).toEqual([1001, { port: 1 }]);
  });

  it("an override of a resource that registers children keeps them and adds only new ones", async () => {
    const child = r
      .resource("child")
      .init(async () => "child")
      .build();
    const added = r
      .resource("added")
      .init(async () => "added")
      .build();
    const parent = r
      .resource("parent")
      .register(child)
      .init(async () => "base")
      .build();
    const better = r
      .override(parent)
      .register(added)
      .init(async () => "better")
      .build();

    await using app = await run(r.resource("app").register(parent).overrides([better]).build());

    expect(["parent", "child", "added"].map((id) => app.getResourceValue(id) as unknown)).toEqual([
      "better",
      "child",
      "added",
    ]);
  });

  it("an override that brings something already registered elsewhere is a duplicate", async () => {
    const taken = r.resource("taken").build();
    const group = r.resource("group").register(r.resource("taken").build()).build();
    const parent = r.resource("parent").build();
    const root = r
      .resource("app")
      .register([taken, parent])
      .overrides([r.override(parent).register(group).build()]);

    const error = await rejectionOf(run(root.build()));

    expect(Errors.duplicateRegistrationError.is(error) && error.data).toMatchObject({ type: "Resource", id: "taken" });
  });

  it("an override that brings something that is no definition is refused", async () => {
    const parent = r.resource("parent").build();
    const broken = r
      .override(parent)
      .register([undefined as never])
      .build();

    const error = await rejectionOf(run(r.resource("app").register(parent).overrides([broken]).build()));

    expect(Errors.unknownItemTypeError.is(error) && error.data).toMatchObject({ item: undefined, owner: "parent" });
  });

  it("an override of a hook keeps what the base listens to", async () => {
    const ping = r.event<string>("ping").build();
    const log: string[] = [];
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => void log.push("base"))
      .build();
    const better = r
      .override(hook)
      .run(async ({ data }) => void log.push(`better ${data}`))
      .build();

    await using app = await run(r.resource("app").register([ping, hook]).overrides([better]).build());
    await app.emitEvent(ping, "x");

    expect(log).toEqual(["better x"]);
  });

  it("an override of a middleware changes every attachment, each with its own config", async () => {
    const tag = r.middleware
      .task<{ name: string }>("tag")
      .run(async ({ next }, _, { name }) => `${name}(${String(await next())})`)
      .build();
    const a = r
      .task("a")
      .middleware([tag.with({ name: "a" })])
      .run(async () => 1)
      .build();
    const b = r
      .task("b")
      .middleware([tag.with({ name: "b" })])
      .run(async () => 2)
      .build();
    const brackets = override(tag, { run: async ({ next }, _, { name }) => `${name}[${String(await next())}]` });

    await using app = await run(r.resource("app").register([tag, a, b]).overrides([brackets]).build());

    expect(await Promise.all([app.runTask(a), app.runTask(b)])).toEqual(["a[1]", "b[2]"]);
  });

  it("an override can be forked, configured and made optional like any definition", async () => {
    const better = named("better");

    await using app = await run(appOf(mailer, better.fork("copy")));

    expect([app.getResourceValue("copy") as unknown, app.getResourceValue(mailer)]).toEqual(["better", "smtp"]);
    expect(better.optional().inner).toBe(better);
    expect(better.with().resource).toBe(better);
  });

  it("an override leaves its base as it was", async () => {
    const patched = defineOverride(mailer, { init: async () => "patched", meta: { title: "Patched" } });

    expect(patched).not.toBe(mailer);
    expect([mailer.meta, patched.meta, patched.id]).toEqual([{}, { title: "Patched" }, "mailer"]);
    expect(await mailer.init?.(undefined, {}, {})).toBe("smtp");
  });

  it("an override is refused for what cannot be overridden", () => {
    const event = r.event("event").build();

    expect(() => r.override(event as never)).toThrow(
      new Error("r.override() supports tasks, resources, hooks, and middleware only."),
    );
    expect(() => override(r.tag("tag").build() as never, {} as never)).toThrow(/supports tasks, resources, hooks/);
  });
});

describe("an override of what the framework provides", () => {
  const logger = globals.resources.logger;
  const readLogger = r
    .task("readLogger")
    .dependencies({ logger })
    .run(async (_: void, { logger }): Promise<unknown> => logger)
    .build();

  it("an override of what the framework provides is what dependants receive when it has an init; the run keeps its own", async () => {
    const mine = { info: async () => {} };
    const replaced = override(logger, { init: async () => mine as never });

    await using app = await run(r.resource("app").register(readLogger).overrides([replaced]).build());

    expect(await app.runTask(readLogger)).toBe(mine);
    expect(app.logger).not.toBe(mine);
  });

  it("an override of what the framework provides keeps the framework's value when it has none", async () => {
    const described = override(logger, { meta: { title: "Logs" } });

    await using app = await run(r.resource("app").register(readLogger).overrides([described]).build());

    expect(app.getResourceValue(logger)).toBe(app.logger);
    expect(await app.runTask(readLogger)).toBeInstanceOf(Object.getPrototypeOf(app.logger).constructor);
  });
});
