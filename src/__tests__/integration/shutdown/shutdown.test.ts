import { globals, r, run, type RunResult } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { startProgram } from "../../support/program";

describe("disposing that takes more than a moment", () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] }));
  afterEach(() => void jest.useRealTimers());

  async function messagesWhileDisposing(app: RunResult, finish: () => void): Promise<unknown[]> {
    const messages: unknown[] = [];
    app.logger.onLog(({ level, message }) => void messages.push([level, message]));
    const disposed = app.dispose();
    await jest.advanceTimersByTimeAsync(999);
    expect(messages).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    finish();
    await disposed;
    expect(jest.getTimerCount()).toBe(0);
    return messages;
  }

  it("disposing that takes more than a moment names the resource it waits for", async () => {
    const gate = createDeferred();
    const database = r.resource("database").build();
    const server = r
      .resource("server")
      .dependencies({ database })
      .dispose(() => gate.promise)
      .build();
    const app = await run(appOf(database, server));

    expect(await messagesWhileDisposing(app, gate.resolve)).toEqual([
      ["info", 'Waiting for resource "server" to be disposed of.'],
    ]);
  });

  it("disposing that takes more than a moment says how many clients have calls under way", async () => {
    const gate = createDeferred();
    const app = await run(appOf());
    const createClient = app.getResourceValue(globals.resources.httpClientFactory);
    const fetchImpl = async (): Promise<Response> => {
      await gate.promise;
      return Response.json({ ok: true, result: 1 });
    };
    const busy = createClient({ baseUrl: "http://peer.example", fetchImpl });
    const idle = createClient({ baseUrl: "http://peer.example", fetchImpl });
    const call = busy.task("slow");

    expect(await messagesWhileDisposing(app, gate.resolve)).toEqual([
      ["info", "Waiting up to 10 s for calls under way of 1 client."],
    ]);
    expect(await call).toBe(1);
    await idle.close();
  });
});

describe("a process that is asked to stop", () => {
  const resources = `
    const traced = (id) => r.resource(id).init(async () => log("+" + id)).dispose(async () => log("-" + id));
  `;

  it("a process that is asked to stop disposes of what runs, in reverse, and exits with 0; a disposed run is left alone", async () => {
    const program = startProgram(`${resources}
      const database = traced("database").build();
      await run(traced("one").register(database).build());
      const two = await run(traced("two").build());
      await two.dispose();
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["+database", "+one", "+two", "-two", "ready", "-one", "-database"]);
  });

  it("a process that is asked to stop while it boots initialises nothing more, rolls back and exits with 0", async () => {
    const program = startProgram(`${resources}
      const first = traced("first").build();
      const slow = r.resource("slow").init(async () => {
        log("ready");
        await new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 20)));
      }).dispose(async () => log("-slow")).build();
      await run(traced("app").register([first, slow]).build());
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["+first", "ready", "-slow", "-first"]);
  });

  it("a process that is asked to stop while it boots exits after the caller of run was told which signal it was", async () => {
    const program = startProgram(`
      const app = r.resource("app").init(async () => {
        log("ready");
        await new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 20)));
      }).build();
      try {
        await run(app);
      } catch (error) {
        log([error.id, error.data.reason].join(" "));
      }
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["ready", "runner.errors.cancellation SIGTERM"]);
  });

  it("a process that is asked to stop a second time while it disposes exits with 1 at once", async () => {
    const program = startProgram(`
      await run(r.resource("app").dispose(() => { log("disposing"); return new Promise(() => {}); }).build());
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");
    await program.printed("disposing");
    program.child.kill("SIGINT");

    expect(await program.exited).toEqual([1, null]);
  });

  it("a process that is asked to stop says so, at information level", async () => {
    const program = startProgram(`
      const app = await run(r.resource("app").build());
      app.logger.onLog(({ level, source, message }) => log([level, source, message].join(" ")));
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["ready", "info run Shutting down on SIGTERM."]);
  });

  it("a process that is asked to stop is left to the runtime with shutdownHooks: false", async () => {
    const program = startProgram(`${resources}
      await run(traced("app").build(), { shutdownHooks: false });
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([null, "SIGTERM"]);
    expect(program.lines()).toEqual(["+app", "ready"]);
  });

  it("a process that is asked to stop can pass the signal to its task instead, dispose, and exit as it likes: LIFECYCLE.md", async () => {
    const program = startProgram(`
      const task = r.task("task").run((_input, _dependencies, { signal }) => new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        log("ready");
      })).build();
      const interrupt = new AbortController();
      const { signal } = interrupt;
      process.once("SIGINT", () => interrupt.abort());
      const root = r.resource("cli").register([task]).dispose(async () => log("-cli")).build();
      const cli = await run(root, { shutdownHooks: false, signal });
      await cli.runTask(task, undefined, { signal }).catch((error) => log(error.name));
      await cli.dispose();
      process.exit(130);
    `);

    await program.printed("ready");
    program.child.kill("SIGINT");

    expect(await program.exited).toEqual([130, null]);
    expect(program.lines()).toEqual(["ready", "AbortError", "-cli"]);
  });

  it("a process that is asked to stop survives what was not handled while a run is alive, and tells the run", async () => {
    const program = startProgram(`
      const app = await run(r.resource("app").build(), {
        onUnhandledError: ({ error, kind, source }) => log([kind, source, error.message ?? error].join(" ")),
      });
      Promise.reject(new Error("forgotten"));
      await new Promise(setImmediate);
      setTimeout(() => { throw new Error("uncaught"); });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await app.dispose();
      log("ready");
      Promise.reject(new Error("too late"));
    `);

    const [code] = await program.exited;

    expect(program.lines()).toEqual([
      "process unhandledRejection forgotten",
      "process uncaughtException uncaught",
      "ready",
    ]);
    expect(code).toBe(1);
  });
});
