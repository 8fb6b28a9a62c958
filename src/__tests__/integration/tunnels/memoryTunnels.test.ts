import { assertTaskRouted, Errors, globals, r, resource, run, type ITask, type TunnelRunner } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

const add = r.task.phantom<{ a: number; b: number }, number>("math.add").build();

/** A tunnel resource with this value. */
const tunnelOf = (id: string, value: TunnelRunner) =>
  r
    .resource(id)
    .tags([globals.tags.tunnel])
    .init(async () => value)
    .build();

describe("a client tunnel", () => {
  it("a client tunnel runs the tasks it selects, however they are called", async () => {
    const calls: unknown[] = [];
    const tunnel = r
      .resource("tunnel")
      .tags([globals.tags.tunnel])
      .init(async () => ({
        mode: "client" as const,
        tasks: [add],
        run: async (task, input: { a: number; b: number }) => {
          calls.push(task.id);
          return input.a + input.b;
        },
      }))
      .build();
    const nested = r
      .task("nested")
      .dependencies({ add })
      .run(async (_: void, { add }) => add({ a: 3, b: 4 }))
      .build();
    await using app = await run(appOf(add, tunnel, nested));

    expect(await app.runTask(add, { a: 1, b: 2 })).toBe(3);
    expect(await app.runTask("math.add", { a: 2, b: 2 })).toBe(4);
    expect(await app.runTask(nested)).toBe(7);
    expect(calls).toEqual(["math.add", "math.add", "math.add"]);
  });

  it.each<[string, TunnelRunner["tasks"]]>([
    ["ids", ["math.add"]],
    ["definitions", [add]],
    ["a predicate", (task) => task.id.startsWith("math.")],
    ["the same one twice", ["math.add", add]],
  ])("a client tunnel selects by %s", async (_how, tasks) => {
    const local = r
      .task("local")
      .run(async () => "local")
      .build();
    const tunnel = tunnelOf("tunnel", { mode: "client", tasks, run: async () => 42 });
    await using app = await run(appOf(add, local, tunnel));

    expect(await app.runTask(add, { a: 0, b: 0 })).toBe(42);
    expect(await app.runTask(local)).toBe("local");
  });

  it("a client tunnel calls run with the registered definition and the input, and the signal when there is one", async () => {
    const received: unknown[][] = [];
    const value: TunnelRunner = {
      mode: "client",
      tasks: [add],
      run(...args: unknown[]) {
        received.push(args);
        return Promise.resolve(this === value);
      },
    };
    await using app = await run(appOf(add, tunnelOf("tunnel", value)));
    const { signal } = new AbortController();

    expect(await app.runTask(add, { a: 1, b: 2 })).toBe(true);
    await app.runTask(add, { a: 1, b: 2 }, { signal });

    expect(received).toEqual([
      [add, { a: 1, b: 2 }],
      [add, { a: 1, b: 2 }, { signal }],
    ]);
    expect((received[0]?.[0] as ITask).isTunneled).toBeUndefined();
  });

  it("a client tunnel hands on the signal that a task inherited from its caller", async () => {
    const signals: unknown[] = [];
    const tunnel = tunnelOf("tunnel", {
      mode: "client",
      tasks: [add],
      run: async (_task, _input, options) => void signals.push(options?.signal),
    });
    const caller = r
      .task("caller")
      .dependencies({ add })
      .run(async (_: void, { add }) => add({ a: 1, b: 2 }))
      .build();
    await using app = await run(appOf(add, tunnel, caller));
    const { signal } = new AbortController();

    await app.runTask(caller, undefined, { signal });
    await app.runTask(caller);

    expect(signals).toEqual([signal, undefined]);
  });

  it("a client tunnel may bring a client instead of run and emit; its own run wins", async () => {
    const calls: unknown[] = [];
    const client = {
      task: async (...args: unknown[]) => calls.push(["task", ...args]),
      event: async (...args: unknown[]) => void calls.push(["event", ...args]),
    };
    const changed = r.event<number>("changed").build();
    const value: TunnelRunner = { mode: "client", tasks: [add], events: [changed], client };
    await using byClient = await run(appOf(add, changed, tunnelOf("tunnel", value)));
    await using byRun = await run(appOf(add, changed, tunnelOf("tunnel", { ...value, run: async () => "own" })));

    await byClient.runTask(add, { a: 1, b: 2 });
    await byClient.emitEvent(changed, 5);

    expect(calls).toEqual([
      ["task", "math.add", { a: 1, b: 2 }],
      ["event", "changed", 5],
    ]);
    expect(await byRun.runTask(add, { a: 1, b: 2 })).toBe("own");
  });

  it("a client tunnel keeps the value of its resource, and shows on the task of that run alone", async () => {
    const value: TunnelRunner = { mode: "client", tasks: [add], run: async () => 1 };
    const tunnel = tunnelOf("tunnel", value);
    await using routed = await run(appOf(add, tunnel));
    await using unrouted = await run(appOf(add));
    const owner = Symbol.for("runner.tunneledBy");

    expect(routed.getResourceValue(tunnel)).toBe(value);
    const view = routed.store.tasks.get("math.add")?.task;
    expect([view?.isTunneled, Reflect.get(view ?? {}, owner)]).toEqual([true, "tunnel"]);
    expect(unrouted.store.tasks.get("math.add")?.task).toBe(add);
    expect("isTunneled" in add).toBe(false);
    expect(await unrouted.runTask(add, { a: 1, b: 1 })).toBeUndefined();
  });

  it("a client tunnel still applies the schemas of the task: parsed input goes out, results are checked", async () => {
    const strict = r.task
      .phantom("strict")
      .inputSchema({ parse: (value: string) => Number(value) })
      .resultSchema({
        parse(value: unknown) {
          if (typeof value !== "number") throw new Error("must be a number");
          return value;
        },
      })
      .build();
    const sent: unknown[] = [];
    const tunnel = tunnelOf("tunnel", {
      mode: "client",
      tasks: [strict],
      run: async (_task, input) => {
        sent.push(input);
        return input === 1 ? 10 : "ten";
      },
    });
    await using app = await run(appOf(strict, tunnel));

    expect(await app.runTask("strict", "1")).toBe(10);
    const error = await rejectionOf(app.runTask("strict", "2"));
    expect(error.message).toBe("Task result validation failed for strict: must be a number");
    expect(sent).toEqual([1, 2]);
  });

  it("a client tunnel passes failures of the server on unchanged", async () => {
    const failure = new Error("far away");
    const tunnel = tunnelOf("tunnel", { mode: "client", tasks: [add], run: () => Promise.reject(failure) });
    await using app = await run(appOf(add, tunnel));

    expect(await rejectionOf(app.runTask(add, { a: 1, b: 2 }))).toBe(failure);
  });

  it("a client tunnel is in force before other resources initialise", async () => {
    const early = r
      .resource("early")
      .dependencies({ add })
      .init(async (_config, { add }) => add({ a: 1, b: 2 }))
      .build();
    const address = r
      .resource("address")
      .init(async () => 100)
      .build();
    const tunnel = r
      .resource("tunnel")
      .tags([globals.tags.tunnel])
      .dependencies({ address })
      .init(async (_config, { address }) => ({ mode: "client" as const, tasks: [add], run: async () => address }))
      .build();
    await using app = await run(appOf(early, add, tunnel, address));

    expect(app.getResourceValue(early)).toBe(100);
  });

  it("a client tunnel may be written with resource({ ... }), its selectors typed", async () => {
    const tunnel = resource({
      id: "tunnel",
      tags: [globals.tags.tunnel],
      init: async () => ({ mode: "client", tasks: (task) => task.id === "math.add", run: async () => 9 }),
    });
    await using app = await run(appOf(add, tunnel));

    expect(await app.runTask(add, { a: 1, b: 2 })).toBe(9);
  });
});

describe("caller-side middleware of a routed task", () => {
  const log: string[] = [];
  const logging = (id: string) =>
    r.middleware.task(id).run(async ({ next }) => {
      log.push(id);
      return next();
    });
  const everywhere = logging("everywhere").everywhere(true).build();
  const [a, b, unattached] = [logging("a").build(), logging("b").build(), logging("unattached").build()];
  const { tunnelPolicy } = globals.tags;
  const policies: [string, Parameters<typeof tunnelPolicy.with>[0] | undefined, string[]][] = [
    ["no policy", undefined, []],
    ["client: [ids or definitions]", { client: ["everywhere", b] }, ["everywhere", "b"]],
    ["client: { middlewareAllowList }", { client: { middlewareAllowList: [a] } }, ["a"]],
    ["middlewareAllowList: { client }", { middlewareAllowList: { client: [b, "a"] } }, ["a", "b"]],
    ["client: [] before another form", { client: [], middlewareAllowList: { client: [a] } }, []],
    ["client: {} before another form", { client: {}, middlewareAllowList: { client: [a] } }, ["a"]],
    ["server lists alone", { server: [a] }, []],
    ["middleware that is not attached", { client: [unattached] }, []],
  ];

  it.each(policies)("caller-side middleware of a routed task with %s", async (_shape, policy, expected) => {
    const task = r.task
      .phantom<void, number>("task")
      .middleware([a, b])
      .tags(policy ? [tunnelPolicy.with(policy)] : [])
      .build();
    const tunnel = tunnelOf("tunnel", { mode: "client", tasks: ["task"], run: async () => 1 });
    await using app = await run(appOf(everywhere, a, b, unattached, task, tunnel));
    log.length = 0;

    expect(await app.runTask(task)).toBe(1);

    expect(log).toEqual(expected);
  });

  it("caller-side middleware of a routed task is dropped, interceptors stay", async () => {
    const task = r.task.phantom<void, number>("task").middleware([a]).build();
    const intercepting = r
      .resource("intercepting")
      .dependencies({ task, manager: globals.resources.middlewareManager })
      .init(async (_config, { task, manager }) => {
        manager.intercept("task", async (next, input) => Number(await next(input)) + 1);
        task.intercept(async (next, input) => (await next(input)) + 10);
      })
      .build();
    const tunnel = tunnelOf("tunnel", { mode: "client", tasks: ["task"], run: async () => 100 });
    await using app = await run(appOf(everywhere, a, task, intercepting, tunnel));
    log.length = 0;

    expect(await app.runTask(task)).toBe(111);
    expect(log).toEqual([]);
  });
});

describe("a tunnel that does not route", () => {
  it.each<TunnelRunner["mode"]>(["server", "none", undefined])(
    "a tunnel that does not route in mode %s leaves tasks alone",
    async (mode) => {
      const local = r
        .task("local")
        .run(async () => "local")
        .build();
      await using app = await run(appOf(local, tunnelOf("tunnel", { mode, tasks: [local] })));

      expect(await app.runTask(local)).toBe("local");
      expect(app.store.tasks.get("local")?.task).toBe(local);
    },
  );

  it("a tunnel that does not route in mode both routes as well as serves", async () => {
    await using app = await run(appOf(add, tunnelOf("tunnel", { mode: "both", tasks: [add], run: async () => 5 })));

    expect(await app.runTask(add, { a: 1, b: 2 })).toBe(5);
  });
});

describe("a tunnel that cannot be", () => {
  const client = (id: string) => tunnelOf(id, { mode: "client", tasks: [add], run: async () => 1 });

  it("a tunnel that cannot be is one of two that route the same task", async () => {
    const error = await rejectionOf(run(appOf(add, client("one"), client("two"))));

    expect(Errors.tunnelOwnershipConflictError.is(error) && error.data).toEqual({
      taskId: "math.add",
      currentOwnerId: "one",
      attemptedOwnerId: "two",
    });
    expect(error.message).toBe(
      'Task "math.add" is already tunneled by resource "one". Resource "two" cannot tunnel it again. Ensure each task is owned by a single tunnel client.',
    );
  });

  it("a tunnel that cannot be is not one of two of which one only serves it", async () => {
    const serving = tunnelOf("serving", { mode: "server", tasks: [add] });

    await using app = await run(appOf(add, client("one"), serving));

    expect(await app.runTask(add, { a: 1, b: 2 })).toBe(1);
  });

  it.each<[string, TunnelRunner, string]>([
    [
      "selects a task nobody registered",
      { mode: "server", tasks: ["nope"] },
      "Task nope not found while trying to resolve tasks for tunnel.",
    ],
    [
      "selects an event nobody registered",
      { mode: "none", events: [r.event("nope").build()] },
      "Event nope not found while trying to resolve events for tunnel.",
    ],
    [
      "has nothing to run tasks with",
      { mode: "client", tasks: [add] },
      "Tunnel resource value must implement run(task, input) when tasks[] is configured.",
    ],
    [
      "has nothing to emit events with",
      { mode: "client", events: () => true },
      "Tunnel resource value must implement emit(event, payload) when events[] is configured.",
    ],
    [
      "misspells its mode",
      { mode: "clinet" as never },
      "Tunnel mode must be one of client, server, both, none, got clinet.",
    ],
    [
      "spells a boolean as text",
      { mode: "server", allowAsyncContext: "false" as never },
      "Tunnel allowAsyncContext must be a boolean, got false.",
    ],
    [
      "selects by a definition alone",
      { mode: "server", tasks: add as never },
      "Tunnel tasks must be a list of ids or definitions, or a predicate, got object.",
    ],
    [
      "selects what a circular import has not brought yet",
      { mode: "server", tasks: [add, undefined as never] },
      "Tunnel tasks[1] is undefined: usually a circular import. Name it by its id.",
    ],
    ["selects by anything else", { mode: "none", events: [5 as never] }, "Tunnel events[0] is 5."],
    ["returned nothing", undefined as never, "Tunnel resource value must be an object, got undefined."],
  ])("a tunnel that cannot be is one that %s", async (_mistake, value, message) => {
    const error = await rejectionOf(run(appOf(add, tunnelOf("tunnel", value))));

    expect(error.message.split("\n")[0]).toBe(`Resource "tunnel" initialization failed: ${message}`);
  });
});

it("the log asks about fields that look like those of a tunnel", async () => {
  const logs: string[] = [];
  const listener = r
    .resource("logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog(({ message }) => logs.push(String(message))))
    .build();
  const value = { mode: "server", task: [add], allowAsyncContexts: false, description: "ours" } as const;
  const misspelt = r
    .resource("misspelt")
    .tags([globals.tags.tunnel])
    .dependencies({ listener })
    .init(async () => value as TunnelRunner)
    .build();

  await (await run(appOf(add, listener, misspelt))).dispose();

  expect(logs.filter((message) => message.startsWith("Tunnel"))).toEqual([
    'Tunnel "misspelt" has a field "task". Did you mean "tasks"?',
    'Tunnel "misspelt" has a field "allowAsyncContexts". Did you mean "allowAsyncContext"?',
  ]);
});

describe("assertTaskRouted", () => {
  it.each([null, 0, "", false])("assertTaskRouted passes %j", (value) => {
    expect(assertTaskRouted(value, "task")).toBe(value);
  });

  it("assertTaskRouted turns undefined into an error", () => {
    const error = thrownBy(() => assertTaskRouted(undefined, "math.add"));

    expect(Errors.phantomTaskNotRoutedError.is(error)).toBe(true);
    expect(error.message).toBe(
      'Phantom task "math.add" is not routed through any tunnel. Ensure a tunnel client selects this task id (or avoid calling the phantom task directly).',
    );
  });
});
