import { globals, r, run } from "../../../node";
import { appOf } from "../../support/appOf";
import { startExposure, token } from "../../support/exposure";
import {
  duplex,
  early,
  gather,
  itemTasks,
  noted,
  numbered,
  numbersTo,
  oneThenQuiet,
  reading,
  until,
} from "./itemInputDefinitions";
import { collect, sold, visitor } from "./streamDefinitions";

const start = () => run(appOf(...itemTasks, sold, visitor));

beforeEach(() => void noted.splice(0));

describe("items of a caller in the same process", () => {
  it("are handed to the body, from any iterable", async () => {
    await using app = await start();

    await expect(app.runTask(gather, "in", { items: numbersTo(3).items })).resolves.toEqual({
      input: "in",
      items: [1, 2, 3],
    });
    await expect(app.runTask(gather, "in", { items: new Set(["a"]) })).resolves.toEqual({ input: "in", items: ["a"] });
  });

  it("are validated and transformed one by one, and one that does not fit closes them", async () => {
    await using app = await start();
    const given = oneThenQuiet();

    await expect(app.runTask(numbered, undefined, { items: [{ at: "2026-01-01T00:00:00.000Z" }] })).resolves.toEqual([
      Date.UTC(2026, 0, 1),
    ]);
    await expect(app.runTask(numbered, undefined, { items: given.items as never })).rejects.toMatchObject({
      id: "runner.errors.validation",
      data: { subject: "Task input item", id: numbered.id },
    });
    expect(given.state.isReturned).toBe(true);
  });

  it("what they fail with reaches the body, and the caller as it is", async () => {
    await using app = await start();
    const failure = new Error("the source broke");

    await expect(app.runTask(reading, undefined, { items: numbersTo(1, failure).items })).rejects.toBe(failure);
    expect(noted).toEqual(["item 1", "failed Error"]);
  });

  it.each(["return", "opaque"] as const)("are ended by return() when the body ends before them: %s", async (how) => {
    await using app = await start();
    const { items, state } = numbersTo(Infinity);

    await app.runTask(early, { after: 2, how }, { items }).catch(() => {});

    await until(() => state.isReturned);
    expect(state.given).toBe(2);
  });

  it("fail with the reason of the caller's signal while the next one is waited for, and are ended by return()", async () => {
    await using app = await start();
    const { items, state } = oneThenQuiet();
    const controller = new AbortController();
    const reason = new Error("enough");
    const call = app.runTask(reading, undefined, { items, signal: controller.signal });
    await until(() => noted.includes("item 1"));

    controller.abort(reason);

    await expect(call).rejects.toBe(reason);
    expect(state.isReturned).toBe(true);
  });

  it("go in while items come out, and are ended by return() when the loop is left", async () => {
    await using app = await start();
    const left = numbersTo(Infinity);

    await expect(collect(app.runTask(duplex, {}, { items: [1, 2] }))).resolves.toHaveLength(2);
    for await (const item of app.runTask(duplex, {}, { items: left.items })) if (item !== undefined) break;
    await until(() => left.state.isReturned);
  });

  it("may be read in two goes of one iterator, as a head and the rest", async () => {
    const headed = r
      .task("app.headed")
      .itemInput<number>()
      .run(async (_input: undefined, _dependencies, { items }) => {
        const iterator = items[Symbol.asyncIterator]();
        const head = await iterator.next();
        return [head.value, await collect(items)];
      })
      .build();
    await using app = await run(appOf(headed));

    await expect(app.runTask(headed, undefined, { items: [1, 2, 3] })).resolves.toEqual([1, [2, 3]]);
  });

  it("a call without them, or with a text for them, is a mistake that is named", async () => {
    await using app = await start();

    for (const options of [undefined, {}, { items: "text" }, { items: 1 }]) {
      // What a caller without types may pass.
      await expect(app.runTask<string>(gather.id, "in", options as never)).rejects.toThrow(
        'Task "app.gather" takes items: call it with (input, { items })',
      );
    }
  });

  it("are read once: a middleware that runs the task again is told so, where the first run has read them", async () => {
    const twice = r.middleware
      .task("app.twice")
      .run(async ({ next }) => {
        await next();
        return (await next()) as unknown;
      })
      .build();
    const read = r
      .task("app.read")
      .middleware([twice])
      .itemInput<number>()
      .run(async (_input: undefined, _dependencies, { items }) => collect(items))
      .build();
    await using app = await run(appOf(twice, read));

    await expect(app.runTask(read, undefined, { items: [1] })).rejects.toThrow(/can be read once/);
  });

  it.each([
    globals.middleware.task.cache,
    globals.middleware.task.retry,
    globals.middleware.task.debounce.with({ ms: 1 }),
    globals.middleware.task.throttle.with({ ms: 1 }),
  ])(
    "built-in middleware that shares or repeats a run is refused when the application boots: $id",
    async (attached) => {
      const task = r
        .task("app.shared")
        .middleware([attached])
        .itemInput<number>()
        .run(async () => 1)
        .build();

      await expect(run(appOf(task))).rejects.toMatchObject({
        id: "runner.errors.middlewareRefusesStream",
        data: { taskId: "app.shared", middlewareId: attached.id, what: "takes items" },
      });
    },
  );

  it("an override reads them as the task did", async () => {
    const other = r
      .override(gather)
      .run(async (input, _dependencies, { items }) => ({ input, items: (await collect(items)).reverse() }))
      .build();
    await using app = await run(r.resource("app").register([gather]).overrides([other]).build());

    await expect(app.runTask(gather, 0, { items: [1, 2] })).resolves.toEqual({ input: 0, items: [2, 1] });
  });
});

describe("items for a task that a tunnel routes", () => {
  const phantoms = {
    declared: r.task.phantom<unknown, { items: unknown[] }>(gather.id).itemInput<unknown>().build(),
    "known by its type": r.task.phantom.of<typeof gather>("app.gather"),
  };

  it.each(Object.entries(phantoms))("reach it over HTTP and over memory: %s", async (_name, phantom) => {
    const call = r
      .task("caller.call")
      .dependencies({ phantom })
      .run(async (_input: undefined, dependencies) => (await dependencies.phantom("in", { items: [1, 2] })).items)
      .build();
    await using exposure = await startExposure(itemTasks, {}, [sold, visitor]);
    await using served = await run(
      appOf(...itemTasks, sold, visitor, r.tunnel.server("served.tunnel").tasks(itemTasks).build()),
    );
    const client = r.tunnel.client("caller.tunnel").tasks([phantom]);
    const baseUrl = `http://127.0.0.1:${exposure.port}/__runner`;

    for (const tunnel of [client.http({ baseUrl, auth: { token } }).build(), client.memory(served).build()]) {
      await using app = await run(appOf(phantom, call, tunnel));
      await expect(app.runTask(call)).resolves.toEqual([1, 2]);
    }
  });
});
