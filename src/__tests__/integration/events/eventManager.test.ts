import { EventManager, globals, r, run, type EventEmissionInterceptor, type IEventEmission } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const ping = r.event<string>("ping").build();

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

  it("interceptors of emissions wrap each other, first added outermost", async () => {
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

  it("interceptors of emissions may replace the emission by spreading it, or drop it", async () => {
    const { app, heard } = await intercepted(
      async (next, emission) => (emission.data === "drop" ? undefined : next(emission)),
      (next, emission) => next({ ...emission, data: `${String(emission.data)}!` }),
    );

    await app.emitEvent(ping, "a");
    await app.emitEvent(ping, "drop");
    await app.dispose();

    expect(heard).toEqual(["a!"]);
  });

  it.each<[string, EventEmissionInterceptor]>([
    ["replaces one", (next, emission) => next({ ...emission, stopPropagation: () => {} })],
    ["passes on no emission", (next) => next(undefined as never)],
  ])("interceptors of emissions must keep the controls of propagation: one that %s", async (_what, interceptor) => {
    const { app, heard } = await intercepted(interceptor);

    const error = await rejectionOf(app.emitEvent(ping, "x"));
    await app.dispose();

    expect(error.message).toBe(
      "Event interceptor validation failed for ping: Interceptors cannot override stopPropagation/isPropagationStopped",
    );
    expect(heard).toEqual([]);
  });

  it("interceptors of emissions of hooks wrap each execution, first added outermost, and may replace or skip it", async () => {
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

  it("emitWithResult resolves with the payload as listeners and interceptors left it", async () => {
    const events = new EventManager();
    events.addListener(bag, ({ data }) => data.items.push("listener"));

    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["listener"] });
    events.intercept((next, emission) => next({ ...emission, data: { items: ["interceptor"] } }));
    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["interceptor", "listener"] });
  });

  it("emitWithResult resolves with the deepest payload when an interceptor does not go on", async () => {
    const events = new EventManager();
    events.intercept((next, emission) => next({ ...emission, data: { items: ["first"] } }));
    events.intercept(async () => {});

    expect(await events.emitWithResult(bag, { items: [] }, "test")).toEqual({ items: ["first"] });
  });
});

describe("an EventManager of its own", () => {
  it("an EventManager of its own takes listeners with order, filter and id, for one, several or all events", async () => {
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

  it("an EventManager of its own gives an emission the listeners there were when it started", async () => {
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

  it("an EventManager of its own knows whether it has listeners", () => {
    const excluded = r.event("excluded").tags([globals.tags.excludeFromGlobalHooks]).build();
    const events = new EventManager();

    expect(events.hasListeners(ping)).toBe(false);
    events.addGlobalListener(() => {});
    expect([events.hasListeners(ping), events.hasListeners(excluded)]).toEqual([true, false]);
    events.addListener(excluded, () => {});
    expect(events.hasListeners(excluded)).toBe(true);
  });

  it("an EventManager of its own is cleared by dispose, locked or not", async () => {
    const listener = jest.fn();
    const events = new EventManager();
    events.addListener(ping, listener);
    events.lock();

    events.dispose();
    await events.emit(ping, "x", "test");

    expect(listener).not.toHaveBeenCalled();
  });
});
