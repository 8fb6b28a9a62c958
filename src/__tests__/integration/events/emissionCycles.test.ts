import { Errors, EventManager, globals, r, run, type IEvent } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const a: IEvent<number> = r.event<number>("a").build();
const b: IEvent<number> = r.event<number>("b").build();

const cycleOf = (error: unknown) => (Errors.eventCycleError.is(error) ? error.data.path : error);

describe("an emission that comes round to itself", () => {
  /** Tasks hide the cycle from the check at boot. */
  const emitB = r
    .task("emitB")
    .dependencies({ b })
    .run(async (n: number, { b }) => b(n))
    .build();
  const onA = r
    .hook("onA")
    .on(a)
    .dependencies({ emitB })
    .run(async ({ data }, { emitB }) => emitB(data))
    .build();
  const onB = r
    .hook("onB")
    .on(b)
    .dependencies({ a })
    .run(async ({ data }, { a }) => (data < 3 ? a(data + 1) : undefined))
    .build();
  const cyclic = appOf(a, b, emitB, onA, onB);

  it("an emission that comes round to itself is refused with its path, through tasks as well", async () => {
    await using app = await run(cyclic);

    const error = await rejectionOf(app.emitEvent(a, 1));

    expect(cycleOf(error)).toEqual([
      { id: "a", source: "outside" },
      { id: "b", source: "emitB" },
      { id: "a", source: "onB" },
    ]);
    expect(error.message).toBe(
      "Event emission cycle detected:\n  a←outside  ->  b←emitB  ->  a←onB\n\nBreak the cycle by changing hook logic (avoid mutual emits) or gate with conditions/tags.",
    );
  });

  it("an emission that comes round to itself is allowed when the check is switched off", async () => {
    await using app = await run(cyclic, { runtimeEventCycleDetection: false });

    await expect(app.emitEvent(a, 1)).resolves.toBeUndefined();
  });

  it("an emission that comes round to itself is refused anew each time, and other emissions go on", async () => {
    await using app = await run(cyclic);

    await rejectionOf(app.emitEvent(a, 1));

    expect(Errors.eventCycleError.is(await rejectionOf(app.emitEvent(a, 1)))).toBe(true);
    await expect(app.emitEvent(b, 5)).resolves.toBeUndefined();
  });

  it("an emission that comes round to itself is no cycle when two emissions of one event merely overlap", async () => {
    await using app = await run(
      appOf(
        a,
        b,
        emitB,
        onA,
        r
          .hook("slow")
          .on(b)
          .run(() => new Promise(setImmediate))
          .build(),
      ),
    );

    await expect(Promise.all([app.emitEvent(a, 1), app.emitEvent(a, 2)])).resolves.toHaveLength(2);
  });

  it("an emission that comes round to itself is refused through listeners and interceptors of an EventManager", async () => {
    const events = new EventManager();
    events.addListener(a, ({ data }) => events.emit(b, data, "first"));
    events.addListener(b, ({ data }) => events.emit(a, data, "second"));

    expect(cycleOf(await rejectionOf(events.emit(a, 1, "test")))).toEqual([
      { id: "a", source: "test" },
      { id: "b", source: "first" },
      { id: "a", source: "second" },
    ]);

    const intercepting = new EventManager();
    intercepting.intercept((_next, { data }) => intercepting.emit(a, data as number, "interceptor"));
    expect(Errors.eventCycleError.is(await rejectionOf(intercepting.emit(a, 1, "test")))).toBe(true);
  });

  it("an emission that comes round to itself is refused through listeners of all events, with an id or without", async () => {
    for (const options of [undefined, { id: "everywhere" }]) {
      const events = new EventManager();
      events.addGlobalListener(({ data }) => events.emit(a, data as number, "elsewhere"), options);

      expect(cycleOf(await rejectionOf(events.emit(a, 1, "test")))).toEqual([
        { id: "a", source: "test" },
        { id: "a", source: "elsewhere" },
      ]);
    }
  });

  it("an emission that comes round to itself is refused through interceptors of hooks", async () => {
    const onA = r
      .hook("onA")
      .on(a)
      .run(async () => {})
      .build();
    const intercepting = r
      .resource("intercepting")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config, { events }) =>
        events.interceptHook((_next, _hook, { data }) => events.emit(a, data as number, "interceptor")),
      )
      .build();
    await using app = await run(appOf(a, onA, intercepting));

    expect(cycleOf(await rejectionOf(app.emitEvent(a, 1)))).toEqual([
      { id: "a", source: "outside" },
      { id: "a", source: "interceptor" },
    ]);
  });

  it("an emission that comes round to itself is refused when a hook reaches it through the event manager", async () => {
    const hook = r
      .hook("hook")
      .on(a)
      .dependencies({ events: globals.resources.eventManager })
      .run(async ({ data }, { events }) => events.emit(a, data, "elsewhere"))
      .build();
    await using app = await run(appOf(a, hook));

    expect(Errors.eventCycleError.is(await rejectionOf(app.emitEvent(a, 1)))).toBe(true);
  });

  it("an emission that comes round to itself is free to happen after the first emission has settled", async () => {
    const again: Promise<void>[] = [];
    const events = new EventManager();
    events.addListener(a, ({ data }) => {
      if (data > 0)
        again.push(
          Promise.resolve()
            .then(() => new Promise(setImmediate))
            .then(() => events.emit(a, 0, "later")),
        );
    });

    await events.emit(a, 1, "test");

    await expect(Promise.all(again)).resolves.toHaveLength(1);
  });
});

describe("a hook that emits the event it handles", () => {
  it("a hook that emits the event it handles reaches the other listeners once, and not itself", async () => {
    const log: string[] = [];
    const enriching = r
      .hook("enriching")
      .on(a)
      .dependencies({ a })
      .run(async ({ data }, { a }) => {
        log.push(`enriching ${data}`);
        await a(data * 10);
      })
      .build();
    const recording = r
      .hook("recording")
      .on(a)
      .order(1)
      .run(async ({ data }) => void log.push(`recording ${data}`))
      .build();
    await using app = await run(appOf(a, enriching, recording));

    await app.emitEvent(a, 1);

    expect(log).toEqual(["enriching 1", "recording 10", "recording 1"]);
  });

  it("a hook that emits the event it handles is refused when a second hook does the same inside the first one's", async () => {
    const reemitting = (id: string) =>
      r
        .hook(id)
        .on(a)
        .dependencies({ a })
        .run(async ({ data }, { a }) => a(data))
        .build();
    await using app = await run(appOf(a, reemitting("one"), reemitting("two")));

    const error = await rejectionOf(app.emitEvent(a, 1));

    expect(cycleOf(error)).toEqual([
      { id: "a", source: "outside" },
      { id: "a", source: "one" },
      { id: "a", source: "two" },
      { id: "a", source: "one" },
    ]);
  });
});

describe("the check at boot", () => {
  it("the check at boot ignores a hook that emits what it listens to, wildcards and optional events that are not registered", async () => {
    const self = r
      .hook("self")
      .on(a)
      .dependencies({ a })
      .run(async () => {})
      .build();
    const all = r
      .hook("all")
      .on("*")
      .dependencies({ a })
      .run(async () => {})
      .build();
    const absent = r
      .hook("absent")
      .on(a)
      .dependencies({ b: b.optional() })
      .run(async () => {})
      .build();

    await expect(run(appOf(a, self, all, absent), { dryRun: true })).resolves.toMatchObject({ value: undefined });
  });

  it("the check at boot counts optional events that are registered, and hooks on several events", async () => {
    const onBoth = r
      .hook("onBoth")
      .on([a])
      .dependencies({ b: b.optional() })
      .run(async () => {})
      .build();
    const back = r
      .hook("back")
      .on([b])
      .dependencies({ a })
      .run(async () => {})
      .build();

    const error = await rejectionOf(run(appOf(a, b, onBoth, back), { dryRun: true }));

    expect(Errors.eventEmissionCycleError.is(error) && error.data).toEqual({ cycles: ["a -> b -> a"] });
  });
});
