import { globals, isOneOf, onAnyOf, r, run, type IEventEmission } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const ping = r.event<string>("ping").build();

/** A hook that writes its id down. */
const listening = (id: string, log: string[]) =>
  r
    .hook(id)
    .on(ping)
    .run(async () => void log.push(id));

describe("the order of listeners", () => {
  it("the order of listeners is ascending order, then registration, those of the event before wildcards", async () => {
    const log: string[] = [];
    const wildcard = (id: string, order: number) =>
      r
        .hook(id)
        .on("*")
        .order(order)
        .run(async ({ id: event }) => void (event === "ping" && log.push(id)))
        .build();
    const hooks = [
      wildcard("* 0", 0),
      listening("0 first", log).build(),
      listening("10", log).order(10).build(),
      wildcard("* -5", -5),
      listening("0 second", log).build(),
      listening("-5", log).order(-5).build(),
    ];
    await using app = await run(appOf(ping, ...hooks));

    await app.emitEvent(ping, "x");

    expect(log).toEqual(["-5", "* -5", "0 first", "0 second", "* 0", "10"]);
  });

  it("the order of listeners is one after the other: an emission resolves when all have finished", async () => {
    const log: string[] = [];
    const slow = r
      .hook("slow")
      .on(ping)
      .run(async () => {
        await new Promise(setImmediate);
        log.push("slow");
      })
      .build();
    await using app = await run(appOf(ping, slow, listening("after", log).build()));

    await app.emitEvent(ping, "x");

    expect(log).toEqual(["slow", "after"]);
  });

  it("the order of listeners ends at the first failure, which rejects the emission", async () => {
    const log: string[] = [];
    const failure = new Error("boom");
    const failing = r
      .hook("failing")
      .on(ping)
      .run(() => Promise.reject(failure))
      .build();
    const onUnhandledError = jest.fn();
    await using app = await run(appOf(ping, failing, listening("after", log).build()), { onUnhandledError });

    expect(await rejectionOf(app.emitEvent(ping, "x"))).toBe(failure);
    expect(log).toEqual([]);
    expect(onUnhandledError).not.toHaveBeenCalled();
  });

  it("the order of listeners ends where propagation is stopped, wildcards included", async () => {
    const log: string[] = [];
    const stopping = r
      .hook("stopping")
      .on(ping)
      .run(async (emission) => {
        emission.stopPropagation();
        log.push(String(emission.isPropagationStopped()));
      })
      .build();
    const wildcard = r
      .hook("wildcard")
      .on("*")
      .order(1)
      .run(async ({ id }) => void log.push(id))
      .build();
    await using app = await run(appOf(ping, stopping, listening("later", log).build(), wildcard));
    log.length = 0;

    await app.emitEvent(ping, "x");

    expect(log).toEqual(["true"]);
  });
});

describe("an emission", () => {
  it("an emission tells id, payload, source, time, meta and tags, all its own", async () => {
    const tag = r.tag("tag").build();
    const tagged = r.event<{ n: number }>("tagged").tags([tag]).meta({ title: "Tagged" }).build();
    const seen: IEventEmission<{ n: number }>[] = [];
    const hook = r
      .hook("hook")
      .on(tagged)
      .run(async (emission) => void seen.push(emission))
      .build();
    await using app = await run(appOf(tag, tagged, hook));

    await app.emitEvent(tagged, { n: 1 });
    await app.emitEvent(tagged, { n: 2 });

    const [first, second] = seen;
    expect(Object.keys(first ?? {}).sort()).toEqual(
      ["data", "id", "isPropagationStopped", "meta", "source", "stopPropagation", "tags", "timestamp"].sort(),
    );
    expect(first).toMatchObject({
      id: "tagged",
      data: { n: 1 },
      source: "outside",
      meta: { title: "Tagged" },
      tags: [tag],
    });
    expect(first?.timestamp).toBeInstanceOf(Date);
    expect(first).not.toBe(second);
    expect(first?.meta).not.toBe(tagged.meta);
    expect(first?.tags).not.toBe(tagged.tags);
  });

  it("an emission names the owner of the emitter as its source", async () => {
    const sources: string[] = [];
    const hook = r
      .hook("recorder")
      .on([ping, globals.events.ready])
      .run(async ({ source }) => void sources.push(source))
      .build();
    const task = r
      .task("someTask")
      .dependencies({ ping })
      .run(async (_: void, { ping }) => ping("x"))
      .build();
    const resource = r
      .resource("someResource")
      .dependencies({ ping })
      .init(async (_, { ping }) => ping("x"))
      .build();
    const middleware = r.middleware
      .task("someMiddleware")
      .everywhere(true)
      .dependencies({ ping })
      .run(async ({ next }, { ping }) => {
        await ping("x");
        return next();
      })
      .build();
    await using app = await run(appOf(ping, hook, task, resource, middleware));

    await app.runTask(task);

    expect(sources).toEqual(["someResource", "run", "someMiddleware", "someTask"]);
  });

  it("an emission without listeners resolves", async () => {
    await using app = await run(appOf(ping));

    await expect(app.emitEvent(ping, "x")).resolves.toBeUndefined();
  });

  it("an emission of a void event takes no payload", async () => {
    const tick = r.event("tick").build();
    const seen: unknown[] = [];
    const hook = r
      .hook("hook")
      .on(tick)
      .run(async ({ data }) => void seen.push(data))
      .build();
    const task = r
      .task("task")
      .dependencies({ tick })
      .run(async (_: void, { tick }) => tick())
      .build();
    await using app = await run(appOf(tick, hook, task));

    await app.runTask(task);
    await app.emitEvent(tick);

    expect(seen).toEqual([undefined, undefined]);
  });
});

describe("wildcard hooks", () => {
  it("wildcard hooks receive every event, ready included, but not those that exclude themselves", async () => {
    const heard: string[] = [];
    const secret = r.event("secret").tags([globals.tags.excludeFromGlobalHooks]).build();
    const specific = r
      .hook("specific")
      .on(secret)
      .run(async () => void heard.push("specific"))
      .build();
    const wildcard = r
      .hook("wildcard")
      .on("*")
      .run(async ({ id }) => void heard.push(id))
      .build();
    await using app = await run(appOf(ping, secret, specific, wildcard));

    await app.emitEvent(ping, "x");
    await app.emitEvent(secret);

    expect(heard).toEqual(["globals.events.ready", "ping", "specific"]);
  });

  it("wildcard hooks that are excluded still leave interceptors at work", async () => {
    const intercepted: string[] = [];
    const secret = r.event("secret").tags([globals.tags.excludeFromGlobalHooks]).build();
    const interceptor = r
      .resource("interceptor")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config, { events }) =>
        events.intercept((next, emission) => {
          intercepted.push(emission.id);
          return next(emission);
        }),
      )
      .build();
    await using app = await run(appOf(secret, interceptor));

    await app.emitEvent(secret);

    expect(intercepted).toEqual(["globals.events.ready", "secret"]);
  });
});

describe("hooks", () => {
  it("hooks receive what resources emit while they initialise, with their own dependencies ready", async () => {
    const store = r
      .resource("store")
      .init(async () => [] as string[])
      .build();
    const hook = r
      .hook("hook")
      .on(ping)
      .dependencies({ store })
      .run(async ({ data }, { store }) => void store.push(data))
      .build();
    const emitting = r
      .resource("emitting")
      .dependencies({ ping })
      .init(async (_, { ping }) => ping("early"))
      .build();
    await using app = await run(appOf(emitting, hook, ping, store));

    expect(app.getResourceValue(store)).toEqual(["early"]);
  });

  it("hooks miss what is emitted before their dependencies are there", async () => {
    const heard: string[] = [];
    const eager = r
      .resource("eager")
      .dependencies({ ping })
      .init(async (_, { ping }) => ping("too early"))
      .build();
    const hook = r
      .hook("hook")
      .on(ping)
      .dependencies({ eager })
      .run(async ({ data }) => void heard.push(data))
      .build();
    await using app = await run(appOf(ping, eager, hook));

    await app.emitEvent(ping, "later");

    expect(heard).toEqual(["later"]);
  });

  it("hooks may listen to several events, told apart by isOneOf", async () => {
    const created = r.event<{ id: string; at: Date }>("created").build();
    const removed = r.event<{ id: string; by: string }>("removed").build();
    const log: unknown[] = [];
    const either = onAnyOf(created, removed);
    const hook = r
      .hook("hook")
      .on(either)
      .run(async (emission) => void log.push([emission.data.id, isOneOf(emission, [removed])]))
      .build();
    await using app = await run(appOf(created, removed, hook));

    await app.emitEvent(created, { id: "a", at: new Date(0) });
    await app.emitEvent(removed, { id: "b", by: "me" });

    expect(log).toEqual([
      ["a", false],
      ["b", true],
    ]);
    expect(onAnyOf([created, removed])).toEqual([...either]);
  });

  it("hooks are skipped for what they emit themselves", async () => {
    const log: string[] = [];
    const hook = listening("hook", log).build();
    await using app = await run(appOf(ping, hook));

    await app.getResourceValue(globals.resources.eventManager).emit(ping, "x", "hook");

    expect(log).toEqual([]);
  });

  it("hooks are left alone by middleware that applies everywhere", async () => {
    const wrapped: string[] = [];
    const middleware = r.middleware
      .task("middleware")
      .everywhere(true)
      .run(async ({ task, next }) => {
        wrapped.push(task.definition.id);
        return next();
      })
      .build();
    await using app = await run(appOf(ping, middleware, listening("hook", []).build()));

    await app.emitEvent(ping, "x");

    expect(wrapped).toEqual([]);
  });
});
