import { r, run, symbolFilePath, symbolResourceForkedFrom, type IResource } from "../../../index";
import { appOf } from "../../support/appOf";

const counter = r
  .resource<{ start: number }>("counter")
  .init(async ({ start }) => ({ value: start }))
  .build();

describe("a fork", () => {
  it("a fork is another instance under another id, with its own config", async () => {
    const other = counter.fork("counter.other");

    await using app = await run(appOf(counter.with({ start: 1 }), other.with({ start: 2 })));

    expect([app.getResourceValue(counter), app.getResourceValue(other)]).toEqual([{ value: 1 }, { value: 2 }]);
    expect(app.getResourceValue(counter.fork("counter.other"))).toBe(app.getResourceValue(other));
  });

  it("a fork says what it comes from, and keeps everything else", () => {
    const tag = r.tag("tag").build();
    const middleware = r.middleware
      .resource("middleware")
      .run(async ({ next }) => next())
      .build();
    const base = r
      .resource("base")
      .tags([tag])
      .middleware([middleware])
      .meta({ title: "Base" })
      .throws(["app.failed"])
      .overrides([counter])
      .init(async () => 1)
      .build();

    const fork = base.fork("fork");

    expect(fork).toMatchObject({
      id: "fork",
      tags: [tag],
      middleware: [middleware],
      meta: { title: "Base" },
      throws: ["app.failed"],
      overrides: [counter],
      init: base.init,
    });
    expect(fork[symbolResourceForkedFrom]?.fromId).toBe("base");
    expect(base.id).toBe("base");
    expect(base[symbolResourceForkedFrom]).toBeUndefined();
  });

  it("a fork says which file forks it, and keeps the file of its base", () => {
    // `appOf` makes its resource in a file of its own.
    const [base, child] = [appOf(), appOf()];

    const forks = [base.fork("fork"), r.resource("parent").register(child).build().fork("deep", { register: "deep" })];
    const [forkedChild] = forks[1]?.register as IResource[];

    expect(forks.map((fork) => fork[symbolResourceForkedFrom]?.forkedAtFilePath)).toEqual([__filename, __filename]);
    expect(forkedChild?.[symbolResourceForkedFrom]).toEqual({ fromId: "app", forkedAtFilePath: __filename });
    expect(forks[0]?.[symbolFilePath]).toBe(base[symbolFilePath]);
    expect(base[symbolFilePath]).toMatch(/appOf\.ts$/);
  });

  it("a fork may be made optional and forked again", async () => {
    const second = counter.fork("first").fork("second");
    const reader = r
      .resource("reader")
      .dependencies({ second: second.optional() })
      .init(async (_config, { second }) => second?.value)
      .build();

    await using app = await run(appOf(second.with({ start: 3 }), reader));

    expect(app.getResourceValue(reader)).toBe(3);
    expect(second[symbolResourceForkedFrom]?.fromId).toBe("first");
  });
});

describe("what a fork registers", () => {
  const child = r
    .resource("child")
    .init(async () => "child")
    .build();
  const task = r
    .task("task")
    .run(async () => 1)
    .build();
  const base = r.resource("base").register([child, task]).build();

  it("what a fork registers is by default the same, so base and fork do not fit into one app", async () => {
    expect(base.fork("fork").register).toBe(base.register);
    await expect(run(appOf(base, base.fork("fork")))).rejects.toThrow(/"child" already registered/);
  });

  it("what a fork registers is nothing with drop, so both fit", async () => {
    await using app = await run(appOf(base, base.fork("fork", { register: "drop" })));

    expect([...app.store.resources.keys()].slice(-4)).toEqual(["base", "child", "fork", "app"]);
  });

  it("what a fork registers is forks of its resources with deep, and nothing else", async () => {
    await using app = await run(appOf(base, base.fork("fork", { register: "deep" })));

    expect([...app.store.resources.keys()].slice(-5)).toEqual(["base", "child", "fork", "fork.child", "app"]);
    expect([...app.store.tasks.keys()]).toEqual(["task"]);
  });

  it("what a fork registers is an empty list with deep when the base registers nothing", () => {
    const fork = r.resource("empty").build().fork("fork", { register: "deep" });

    expect([fork.register, fork.dependencies]).toEqual([[], undefined]);
  });
});

describe("a deep fork", () => {
  const outside = r
    .resource("outside")
    .init(async () => "outside")
    .build();
  const connection = r
    .resource<{ url: string }>("connection")
    .init(async ({ url }) => ({ url }))
    .build();
  // `repository` stands before what it depends on: the order of the list must not matter.
  const cache = r
    .resource("cache")
    .init(async () => ({}))
    .build();
  const repository = r
    .resource("repository")
    .dependencies({ connection, cache: cache.optional(), outside })
    .init(async (_config, { connection, cache, outside }) => ({ connection, cache, outside }))
    .build();
  const database = r
    .resource<{ url: string }>("database")
    .register(({ url }) => [repository, connection.with({ url }), cache])
    .dependencies({ repository })
    .init(async (_config, { repository }) => repository)
    .build();

  it("a deep fork points dependencies at its own children, optional ones included, and leaves the others", async () => {
    const replica = database.fork("replica", { register: "deep" });

    await using app = await run(appOf(outside, database.with({ url: "main" }), replica.with({ url: "copy" })));

    const [main, copy] = [app.getResourceValue(database), app.getResourceValue(replica)];
    expect([main.connection, copy.connection]).toEqual([{ url: "main" }, { url: "copy" }]);
    expect(copy).toBe(app.getResourceValue("replica.repository"));
    expect(copy.cache).toBe(app.getResourceValue("replica.cache"));
    expect(copy.cache).not.toBe(main.cache);
    expect(copy.outside).toBe(main.outside);
  });

  it("a deep fork names its children as told, however deep they are", async () => {
    const leaf = r
      .resource("leaf")
      .init(async () => 1)
      .build();
    const branch = r
      .resource("branch")
      .register(leaf)
      .dependencies({ leaf })
      .init(async (_, { leaf }) => leaf)
      .build();
    const tree = r
      .resource("tree")
      .register(branch)
      .dependencies({ branch })
      .init(async (_, { branch }) => branch)
      .build();

    await using app = await run(appOf(tree, tree.fork("copy", { register: "deep", reId: (id) => `copy/${id}` })));

    expect([...app.store.resources.keys()].slice(-7)).toEqual([
      "tree",
      "branch",
      "leaf",
      "copy",
      "copy/branch",
      "copy/leaf",
      "app",
    ]);
    expect(app.getResourceValue("copy")).toBe(1);
  });

  it("a deep fork forks a resource once, also when it is listed twice", async () => {
    const shared = r.resource("shared").build();
    const twice = r
      .resource("twice")
      .register(() => [shared, shared])
      .build();
    const fork = twice.fork("fork", { register: "deep" });

    const [first, second] = (fork.register as (config: object) => unknown[])({});

    expect(first).toBe(second);
  });

  it("a deep fork gives the same result to every run", async () => {
    const replica = database.fork("replica", { register: "deep" });
    const root = appOf(outside, replica.with({ url: "copy" }));

    await using first = await run(root);
    await using second = await run(root);

    expect(first.getResourceValue(replica)).toEqual(second.getResourceValue(replica));
    expect(first.getResourceValue(replica)).not.toBe(second.getResourceValue(replica));
  });

  it.each(["", undefined])("a deep fork refuses a reId that gives %j", (id) => {
    const base = r.resource("base").register(r.resource("child").build()).build();

    expect(() => base.fork("fork", { register: "deep", reId: () => id as string })).toThrow(
      new Error('fork(reId) must return a non-empty string for "child"'),
    );
  });
});
