import { Errors, globals, r, run, type RegisterableItems } from "../../../index";
import { createHttpClient } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

/** First line and fix of what a boot of these items fails with. */
async function messageOf(...items: readonly RegisterableItems[]): Promise<string[]> {
  return (await rejectionOf(run(appOf(...items)))).message.split("\n");
}

describe("an item of an unknown type", () => {
  it("an item of an unknown type is asked about other versions only when it carries a brand of one", async () => {
    const foreign = { id: "foreign", [Symbol.for("runner.workflow")]: true };
    const plain = { id: "plain" };

    expect((await messageOf(foreign as never))[0]).toBe(
      "Unknown item type: [object Object]. Please ensure you are not using different versions of '@bluelibs/runner'",
    );
    expect((await messageOf(plain as never))[0]).toBe("Unknown item type: [object Object].");
    expect((await messageOf(undefined as never))[0]).toBe("Unknown item type: undefined.");
  });
});

it("a middleware that is not registered is told with where to register it", async () => {
  const middleware = r.middleware
    .task("middleware")
    .run(async ({ next }) => next())
    .build();
  const task = r
    .task("task")
    .middleware([middleware])
    .run(async () => 1)
    .build();

  expect(await messageOf(task)).toEqual([
    `Middleware inside task "task" depends on "middleware" but it's not registered. Did you forget to register it?`,
    '  fix: add "middleware" to .register([...]) of a resource of the app.',
  ]);
});

it.each([
  [{ tasks: ["task"] }, 'return { client } or { run } beside "tasks" from the init of the tunnel.'],
  [{ events: ["event"] }, 'return { client } or { emit } beside "events" from the init of the tunnel.'],
])("a client tunnel that can do nothing with %j is told what to return", async (selected, fix) => {
  const tunnel = r
    .resource("tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client", ...selected }) as never)
    .build();
  const task = r
    .task("task")
    .run(async () => 1)
    .build();

  expect((await messageOf(task, r.event("event").build(), tunnel))[1]).toBe(`  fix: ${fix}`);
});

describe("a phantom task that no tunnel routes", () => {
  const lonely = r.task.phantom<void, number>("lonely").build();
  const remote = r.task.phantom<void, number>("remote").build();
  const routed = r.task.phantom<void, number>("routed").build();
  const caller = r
    .task("caller")
    .dependencies({ remote, routed })
    .run(async () => 1)
    .build();
  const user = r
    .resource("user")
    .dependencies({ remote: remote.optional() })
    .init(async () => 1)
    .build();
  const tunnel = r
    .resource("tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client" as const, tasks: [routed], run: async () => 1 }))
    .build();

  it("a phantom task that no tunnel routes is warned of once at boot when something depends on it, with the ways out", async () => {
    const warnings: string[] = [];
    const listening = r
      .resource("listening")
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config, { logger }) =>
        logger.onLog(({ level, message }) => void (level === "warn" && warnings.push(String(message)))),
      )
      .build();

    await using app = await run(appOf(lonely, remote, routed, caller, user, tunnel, listening));
    await app.runTask(remote);

    expect(warnings.map((warning) => warning.split("\n"))).toEqual([
      [
        'Phantom task "remote" is not routed by any tunnel, and "caller", "user" depend on it.',
        "  fix: select it in a tunnel of client mode; or register or override a task of that id that runs in this " +
          'process; or let such calls fail with run(app, { unroutedPhantoms: "throw" }).',
      ],
    ]);
  });
});

describe("taskRunner.replaceBody", () => {
  const doubling = r.middleware
    .task("doubling")
    .run(async ({ next }) => 2 * ((await next()) as number))
    .build();
  const task = r
    .task("task")
    .middleware([doubling])
    .inputSchema({ parse: Number })
    .run(async (n) => n + 1)
    .build();
  const caller = r
    .task("caller")
    .dependencies({ task })
    .run(async (n: number, given) => given.task(n))
    .build();

  it("taskRunner.replaceBody has a task run another body from the next call on in dev mode, whoever calls it", async () => {
    await using app = await run(appOf(doubling, task, caller), { mode: "dev" });
    const taskRunner = app.getResourceValue(globals.resources.taskRunner);
    const before = await app.runTask(caller, 1);

    taskRunner.replaceBody(task, async (n: number) => n + 10);
    const replaced = [await app.runTask(caller, 1), await app.runTask("task", "2")];
    taskRunner.replaceBody("task", async () => 0);

    expect([before, ...replaced, await app.runTask(task, 1)]).toEqual([4, 22, 24, 0]);
  });

  it("taskRunner.replaceBody is refused in other modes, and for what is no task or no function", async () => {
    await using prod = await run(appOf(doubling, task, caller), { mode: "prod" });
    await using dev = await run(appOf(doubling, task, caller), { mode: "dev" });
    const runnerOf = (app: typeof prod) => app.getResourceValue(globals.resources.taskRunner);
    const body = async () => 0;

    expect(thrownBy(() => runnerOf(prod).replaceBody(task, body)).message.split("\n")).toEqual([
      'taskRunner.replaceBody works in "dev" mode only; this run is in "prod" mode.',
      '  fix: run it with run(app, { mode: "dev" }).',
    ]);
    expect(Errors.taskNotRegisteredError.is(thrownBy(() => runnerOf(dev).replaceBody("nope", body)))).toBe(true);
    expect(thrownBy(() => runnerOf(dev).replaceBody(task, 1 as never)).message).toBe(
      "taskRunner.replaceBody takes a function as body, got 1.",
    );
  });
});

it("a helper of an error registry that has only throw is thrown", async () => {
  class Denied extends Error {}
  const helper = {
    throw(data: { who: string }): never {
      throw new Denied(`not ${data.who}`);
    },
  };
  const error = { code: "INTERNAL_ERROR", message: "denied", id: "denied", data: { who: "Ada" } };
  const client = createHttpClient({
    baseUrl: "http://peer.example",
    fetchImpl: async () => Response.json({ ok: false, error }, { status: 500 }),
    errorRegistry: new Map([["denied", helper as never]]),
  });

  const rejection = await rejectionOf(client.task("any"));

  expect(rejection).toBeInstanceOf(Denied);
  expect(rejection.message).toBe("not Ada");
});
