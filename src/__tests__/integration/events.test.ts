import { EventManager, globals, isOneOf, onAnyOf, r, run, type IEventEmission } from "../../index";
import { appOf } from "../support/appOf";
import { rejectionOf } from "../support/failures";

const ping = r.event<string>("ping").build();

/** A hook that writes its id down. */
const listening = (id: string, log: string[]) =>
  r
    .hook(id)
    .on(ping)
    .run(async () => void log.push(id));

describe("the order of listeners", () => {
  it("is ascending order, then registration, those of the event before wildcards", async () => {
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

  it("is one after the other: an emission resolves when all have finished", async () => {
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

  it("ends at the first failure, which rejects the emission", async () => {
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

  it("ends where propagation is stopped, wildcards included", async () => {
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
  it("tells id, payload, source, time, meta and tags, all its own", async () => {
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

  it("names whoever owns the emitter as its source", async () => {
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

  it("nobody listens to resolves", async () => {
    await using app = await run(appOf(ping));

    await expect(app.emitEvent(ping, "x")).resolves.toBeUndefined();
  });

  it("of a void event takes no payload", async () => {
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
  it("hear every event, ready included, but not those that exclude themselves", async () => {
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

  it("that are excluded still leave interceptors at work", async () => {
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
  it("hear what resources emit while they initialise, with their own dependencies ready", async () => {
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

  it("miss what is emitted before their dependencies are there", async () => {
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

  it("may listen to several events, told apart by isOneOf", async () => {
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

  it("are skipped for what they emit themselves", async () => {
    const log: string[] = [];
    const hook = listening("hook", log).build();
    await using app = await run(appOf(ping, hook));

    await app.getResourceValue(globals.resources.eventManager).emit(ping, "x", "hook");

    expect(log).toEqual([]);
  });

  it("are left alone by middleware that applies everywhere", async () => {
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

describe("interceptors of emissions", () => {
  /** An app whose emissions of `ping` go through these, and the payloads its hook hears. */
  async function intercepted(...interceptors: Parameters<EventManager["intercept"]>[0][]) {
    const heard: string[] = [];
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async ({ data }) => void heard.push(data))
      .build();
    const resource = r
      .resource("interceptors")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config, { events }) => {
        for (const interceptor of interceptors) {
          events.intercept((next, emission) => (emission.id === "ping" ? interceptor(next, emission) : next(emission)));
        }
      })
      .build();
    return { heard, app: await run(appOf(ping, hook, resource)) };
  }

  it("wrap each other, first added outermost", async () => {
    const log: string[] = [];
    const tracing = (id: string) => async (next: (e: IEventEmission) => Promise<void>, emission: IEventEmission) => {
      log.push(`${id} in`);
      await next(emission);
      log.push(`${id} out`);
    };
    const { app } = await intercepted(tracing("1"), tracing("2"));

    await app.emitEvent(ping, "x");
    await app.dispose();

    expect(log).toEqual(["1 in", "2 in", "2 out", "1 out"]);
  });

  it("may replace the emission by spreading it, or drop it", async () => {
    const { app, heard } = await intercepted(
      async (next, emission) => (emission.data === "drop" ? undefined : next(emission)),
      (next, emission) => next({ ...emission, data: `${String(emission.data)}!` }),
    );

    await app.emitEvent(ping, "a");
    await app.emitEvent(ping, "drop");
    await app.dispose();

    expect(heard).toEqual(["a!"]);
  });

  it("must keep the controls of propagation", async () => {
    const { app, heard } = await intercepted((next, emission) => next({ ...emission, stopPropagation: () => {} }));

    const error = await rejectionOf(app.emitEvent(ping, "x"));
    await app.dispose();

    expect(error.message).toBe(
      "Event interceptor validation failed for ping: Interceptors cannot override stopPropagation/isPropagationStopped",
    );
    expect(heard).toEqual([]);
  });

  it("of hooks wrap each execution, first added outermost, and may replace or skip it", async () => {
    const log: string[] = [];
    const hooks = ["kept", "skipped"].map((id) =>
      r
        .hook(id)
        .on(ping)
        .run(async ({ data }) => void log.push(`${id} ${data}`))
        .build(),
    );
    const interceptor = r
      .resource("interceptor")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config, { events }) => {
        events.interceptHook(async (next, hook, emission) => {
          log.push(`outer ${hook.id}`);
          return hook.id === "skipped" ? undefined : next(hook, emission);
        });
        events.interceptHook((next, hook, emission) => next(hook, { ...emission, data: "replaced" }));
      })
      .build();
    await using app = await run(appOf(ping, ...hooks, interceptor));

    await app.emitEvent(ping, "x");

    expect(log).toEqual(["outer kept", "kept replaced", "outer skipped"]);
  });
});

describe("emitWithResult", () => {
  const bag = r.event<{ items: string[] }>("bag").build();

  it("resolves with the payload as listeners and interceptors left it", async () => {
    const events = new EventManager();
    events.addListener(bag, ({ data }) => data.items.push("listener"));

    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["listener"] });
    events.intercept((next, emission) => next({ ...emission, data: { items: ["interceptor"] } }));
    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["interceptor", "listener"] });
  });

  it("resolves with the deepest payload when an interceptor does not go on", async () => {
    const events = new EventManager();
    events.intercept((next, emission) => next({ ...emission, data: { items: ["first"] } }));
    events.intercept(async () => {});

    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["first"] });
  });
});

describe("an EventManager of its own", () => {
  it("takes listeners with order, filter and id, for one, several or all events", async () => {
    const log: string[] = [];
    const pong = r.event<string>("pong").build();
    const events = new EventManager();
    events.addListener([ping, pong], ({ data }) => log.push(`both ${data}`), { order: 1 });
    events.addListener(ping, () => log.push("filtered"), { filter: ({ data }) => data === "yes" });
    events.addListener(ping, () => log.push("mine"), { id: "me" });
    events.addGlobalListener(({ id }) => log.push(`all ${id}`), { order: -1 });

    await events.emit(ping, "no", "me");
    await events.emit(ping, "yes", "you");
    await events.emit(pong, "x", "me");

    expect(log).toEqual(
      ["all ping", "both no"].concat(["all ping", "filtered", "mine", "both yes"], ["all pong", "both x"]),
    );
  });

  it("gives an emission the listeners there were when it started", async () => {
    const log: string[] = [];
    const events = new EventManager();
    events.addListener(ping, () => {
      log.push("first");
      events.addListener(ping, () => log.push("added"));
    });

    await events.emit(ping, "x", "test");
    expect(log).toEqual(["first"]);
    await events.emit(ping, "x", "test");

    expect(log).toEqual(["first", "first", "added"]);
  });

  it("knows whether anybody listens", () => {
    const excluded = r.event("excluded").tags([globals.tags.excludeFromGlobalHooks]).build();
    const events = new EventManager();

    expect(events.hasListeners(ping)).toBe(false);
    events.addGlobalListener(() => {});
    expect([events.hasListeners(ping), events.hasListeners(excluded)]).toEqual([true, false]);
    events.addListener(excluded, () => {});
    expect(events.hasListeners(excluded)).toBe(true);
  });

  it("is cleared by dispose, locked or not", async () => {
    const listener = jest.fn();
    const events = new EventManager();
    events.addListener(ping, listener);
    events.lock();

    events.dispose();
    await events.emit(ping, "x", "test");

    expect(listener).not.toHaveBeenCalled();
  });
});
