import { globals, journal, override, r, run, task as defineTask, type CallInfo } from "../../../index";
import { appOf } from "../../support/appOf";

const trace = journal.createKey<string[]>("trace");

describe("the journal of a call", () => {
  it("the journal of a call is shared by interceptors, middleware and the task", async () => {
    const outer = r.middleware
      .task("outer")
      .run(async ({ next, journal }) => {
        journal.get(trace)?.push("middleware");
        return next();
      })
      .build();
    const task = r
      .task("task")
      .middleware([outer])
      .run(async (_: void, _dependencies, { journal }) => journal.get(trace))
      .build();
    const interceptor = r
      .resource("interceptor")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) =>
        manager.intercept("task", (next, input) => {
          input.journal.set(trace, ["interceptor"]);
          return next(input);
        }),
      )
      .build();
    await using app = await run(appOf(outer, task, interceptor));

    expect(await app.runTask(task)).toEqual(["interceptor", "middleware"]);
    expect(await app.runTask(task)).toEqual(["interceptor", "middleware"]);
  });

  it("the journal of a call is fresh for a nested task, unless it is forwarded", async () => {
    const has = r
      .task("has")
      .run(async (_: string, _dependencies, { journal }) => journal.has(trace))
      .build();
    const caller = r
      .task("caller")
      .dependencies({ has })
      .run(async (_: void, { has }, { journal }) => {
        journal.set(trace, []);
        return [await has("fresh"), await has("forwarded", { journal })];
      })
      .build();
    await using app = await run(appOf(has, caller));

    expect(await app.runTask(caller)).toEqual([false, true]);
  });

  it("the journal of a call may be brought along, by dependants, resources, the run and the task runner", async () => {
    const read = r
      .task("read")
      .run(async (_: string, _dependencies, { journal }) => journal.get(trace)?.[0])
      .build();
    const resource = r
      .resource("resource")
      .dependencies({ read })
      .init(async (_config, { read }) => {
        const given = journal.create();
        given.set(trace, ["resource"]);
        return read("x", { journal: given });
      })
      .build();
    await using app = await run(appOf(read, resource));
    const given = journal.create();
    given.set(trace, ["run"]);

    const runner = app.getResourceValue(globals.resources.taskRunner);

    expect(app.getResourceValue(resource)).toBe("resource");
    expect(await app.runTask(read, "x", { journal: given })).toBe("run");
    expect(await app.runTask("read", "x", { journal: given })).toBe("run");
    expect(await runner.run(read, "x", { journal: given })).toBe("run");
  });

  it("the journal of a call is passed through next by every layer", async () => {
    const passing = (id: string) =>
      r.middleware
        .task(id)
        .run(async ({ next }) => next())
        .build();
    const [a, b] = [passing("a"), passing("b")];
    const task = r
      .task("task")
      .middleware([a, b])
      .run(async (_: void, _dependencies, { journal }) => journal.get(trace))
      .build();
    await using app = await run(appOf(a, b, task));
    const given = journal.create();
    given.set(trace, ["given"]);

    expect(await app.runTask(task, undefined, { journal: given })).toEqual(["given"]);
  });
});

it("a journal refuses to overwrite unless told to", () => {
  const entries = journal.create();
  const count = journal.createKey<number | undefined>("count");
  entries.set(count, 1);

  expect(() => entries.set(count, 2)).toThrow(
    new Error('Journal key "count" already exists. Use { override: true } to overwrite.'),
  );
  expect(entries.get(count)).toBe(1);
  entries.set(count, undefined, { override: true });
  expect([entries.get(count), entries.has(count), entries.has(trace)]).toEqual([undefined, true, false]);
  expect(entries.has(journal.createKey("count"))).toBe(true);
});

describe("the signal of a call", () => {
  const readSignal = r
    .task("readSignal")
    .run(async (_: string, _dependencies, { signal }) => signal)
    .build();

  it("the signal of a call is the caller's, and one that never aborts without one", async () => {
    await using app = await run(appOf(readSignal));
    const { signal } = new AbortController();

    expect(await app.runTask(readSignal, "x", { signal })).toBe(signal);
    const own = await app.runTask(readSignal, "x");
    expect(own.aborted).toBe(false);
  });

  it("the signal of a call is inherited by the tasks a task calls, however deep", async () => {
    const middle = r
      .task("middle")
      .dependencies({ readSignal })
      .run(async (_: void, { readSignal }) => readSignal("x"))
      .build();
    const outer = r
      .task("outer")
      .dependencies({ middle })
      .run(async (_: void, { middle }) => middle())
      .build();
    await using app = await run(appOf(readSignal, middle, outer));
    const { signal } = new AbortController();

    expect(await app.runTask(outer, undefined, { signal })).toBe(signal);
    expect(await app.runTask(outer)).not.toBe(signal);
  });

  it("the signal of a call changes nothing about the dependencies that inherit it", async () => {
    const service = r
      .resource("service")
      .init(async () => ({ name: "service" }))
      .build();
    const outer = r
      .task("outer")
      .dependencies({
        readSignal,
        service,
        again: readSignal,
        absent: r
          .task("absent")
          .run(async () => 1)
          .build()
          .optional(),
      })
      .run(async (_: void, dependencies) => ({
        keys: Object.keys(dependencies),
        ids: [dependencies.readSignal.id, dependencies.again.id],
        rest: [dependencies.service.name, dependencies.absent],
      }))
      .build();
    await using app = await run(appOf(readSignal, service, outer));

    const withSignal = await app.runTask(outer, undefined, { signal: new AbortController().signal });

    expect(withSignal).toEqual({
      keys: ["readSignal", "service", "again", "absent"],
      ids: ["readSignal", "readSignal"],
      rest: ["service", undefined],
    });
    expect(withSignal).toEqual(await app.runTask(outer));
  });

  it("the signal of a call gives way to one that is passed on explicitly", async () => {
    const { signal } = new AbortController();
    const outer = r
      .task("outer")
      .dependencies({ readSignal })
      .run(async (_: void, { readSignal }) => readSignal("x", { signal }))
      .build();
    await using app = await run(appOf(readSignal, outer));

    expect(await app.runTask(outer, undefined, { signal: new AbortController().signal })).toBe(signal);
  });

  it("the signal of a call is not inherited through a captured resource, which passes it explicitly", async () => {
    const service = r
      .resource("service")
      .dependencies({ readSignal })
      .init(async (_config, { readSignal }) => ({ call: (signal?: AbortSignal) => readSignal("x", { signal }) }))
      .build();
    const outer = r
      .task("outer")
      .dependencies({ service })
      .run(async (pass: boolean, { service }, { signal }) => service.call(pass ? signal : undefined))
      .build();
    await using app = await run(appOf(readSignal, service, outer));
    const { signal } = new AbortController();

    expect(await app.runTask(outer, false, { signal })).not.toBe(signal);
    expect(await app.runTask(outer, true, { signal })).toBe(signal);
  });

  it("the signal of a call leaves the shared dependency record alone", async () => {
    const records: object[] = [];
    const outer = r
      .task("outer")
      .dependencies({ readSignal })
      .run(async (_: void, dependencies) => void records.push(dependencies))
      .build();
    await using app = await run(appOf(readSignal, outer));

    await app.runTask(outer);
    await app.runTask(outer, undefined, { signal: new AbortController().signal });
    await app.runTask(outer);

    expect(records[0]).toBe(records[2]);
    expect(records[1]).not.toBe(records[0]);
  });
});

describe("a task without an input", () => {
  const inputs: unknown[] = [];
  const open = r
    .task("open")
    .run(async (input: void, _dependencies, info: CallInfo) => {
      inputs.push(input);
      return info.signal;
    })
    .build();
  const caller = r
    .task("caller")
    .dependencies({ open })
    .run(async (argument: unknown, { open }) => (open as (argument: unknown) => Promise<AbortSignal>)(argument))
    .build();
  beforeEach(() => void inputs.splice(0));

  it("a task without an input takes a lone options object as options", async () => {
    await using app = await run(appOf(open, caller));
    const { signal } = new AbortController();

    expect(await app.runTask(caller, { signal })).toBe(signal);
    await app.runTask(caller, { journal: journal.create(), signal });
    await app.runTask(caller, { signal: undefined });

    expect(inputs).toEqual([undefined, undefined, undefined]);
  });

  it.each([{ signal: "SIGTERM" }, { journal: [] }, { signal: undefined, more: 1 }, {}, null, "x"])(
    "a task without an input takes %j as an input",
    async (input) => {
      await using app = await run(appOf(open, caller));

      await app.runTask(caller, input);

      expect(inputs).toEqual([input]);
    },
  );

  it("a task with an input schema never mistakes its input for options", async () => {
    const { signal } = new AbortController();
    const strict = r
      .task("strict")
      .inputSchema({ parse: (value) => value as { signal: AbortSignal } })
      .run(async (input) => input.signal)
      .build();
    const outer = r
      .task("outer")
      .dependencies({ strict })
      .run(async (_: void, { strict }) => strict({ signal }))
      .build();
    await using app = await run(appOf(strict, outer));

    expect(await app.runTask(outer)).toBe(signal);
    expect(await app.runTask(strict, { signal })).toBe(signal);
  });
});

describe("the third argument", () => {
  it("the third argument reaches classic tasks, builder tasks and overrides alike", async () => {
    const classic = defineTask({ id: "classic", run: async (_: void, _deps, { journal }) => journal.has(trace) });
    const built = r
      .task("built")
      .run(async (_: void, _deps, { journal }) => journal.has(trace))
      .build();
    const one = r
      .task("one")
      .run(async (): Promise<boolean> => true)
      .build();
    const two = r
      .task("two")
      .run(async (): Promise<boolean> => true)
      .build();
    const replaced = r
      .override(one)
      .run(async (_input, _deps, { journal }) => journal.has(trace))
      .build();
    const patched = override(two, { run: async (_input, _deps, { journal }) => journal.has(trace) });
    const root = r.resource("app").register([classic, built, one, two]).overrides([replaced, patched]).build();
    await using app = await run(root);

    const answers = await Promise.all(
      [classic, built, one, two].map((each) => app.runTask(each.id) as Promise<boolean>),
    );

    expect(answers).toEqual([false, false, false, false]);
  });

  it("the third argument can be left out when a definition is unit tested", async () => {
    const task = r
      .task("task")
      .run(async (n: number) => n + 1)
      .build();

    expect(await task.run(1, {})).toBe(2);
  });
});

it("an injected task carries its id", async () => {
  const target = r
    .task("some.id")
    .run(async () => 1)
    .build();
  const caller = r
    .task("caller")
    .dependencies({ target })
    .run(async (_: void, { target }) => target.id)
    .build();
  await using app = await run(appOf(target, caller));

  expect(await app.runTask(caller)).toBe("some.id");
});
