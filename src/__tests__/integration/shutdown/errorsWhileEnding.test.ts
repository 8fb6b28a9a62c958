import { r, run } from "../../../index";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { startProgram } from "../../support/program";

const reportStray = (): void => void process.listeners("unhandledRejection").at(-1)?.("stray", Promise.resolve());

describe("an error that is not handled while a run ends", () => {
  it("an error that is not handled while a run ends does not cut a shutdown short: calls under way end, everything is disposed of, the process exits with 0", async () => {
    const program = startProgram(`
      const database = r.resource("database").init(async () => ({ open: true }))
        .dispose(async (value) => { value.open = false; log("-database"); }).build();
      const slow = r.task("slow").dependencies({ database })
        .run(async (_input, { database }) => { await gate; return database.open; }).build();
      let open; const gate = new Promise((resolve) => (open = resolve));
      const server = r.resource("server").dispose(async () => {
        log("-server");
        Promise.reject(new Error("stray"));
        setTimeout(() => { throw new Error("thrown"); });
        await new Promise((resolve) => setTimeout(resolve, 10));
        open();
        log("calls: " + (await Promise.all(calls)).join());
      }).build();
      const app = await run(r.resource("app").register([database, slow, server]).build());
      app.logger.onLog(({ level, message }) => level === "error" && log("error: " + message.split("\\n")[0]));
      const calls = Array.from({ length: 5 }, () => app.runTask(slow));
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual([
      "ready",
      "-server",
      "error: Error: stray",
      "error: Error: thrown",
      "calls: true,true,true,true,true",
      "-database",
    ]);
  });

  it("an error that is not handled while a run ends is reported to the run until dispose() by hand has settled, and no longer", async () => {
    const gate = createDeferred();
    const heard: unknown[] = [];
    const before = process.listenerCount("unhandledRejection");
    const root = r
      .resource("app")
      .dispose(() => gate.promise)
      .build();
    const app = await run(root, { onUnhandledError: ({ error, kind }) => void heard.push([kind, error]) });

    const disposed = app.dispose();
    reportStray();
    gate.resolve();
    await disposed;

    expect(heard).toEqual([["process", "stray"]]);
    expect(process.listenerCount("unhandledRejection")).toBe(before);
  });

  it("an error that is not handled while a run ends is reported to the run while a failed boot is rolled back", async () => {
    const heard: unknown[] = [];
    const early = r
      .resource("early")
      .init(async () => {})
      .dispose(async () => reportStray())
      .build();
    const root = r
      .resource("app")
      .register([early])
      .init(() => Promise.reject(new Error("boom")))
      .build();

    const error = await rejectionOf(
      run(root, { onUnhandledError: ({ error: reported, kind }) => void (kind === "process" && heard.push(reported)) }),
    );

    expect(error.message).toBe("boom");
    expect(heard).toEqual(["stray"]);
  });
});

describe("a program that fails after its run has started, with the default handler", () => {
  it.each([
    ["an exception", "setTimeout(() => { throw new Error('seed failed'); });", "uncaughtException"],
    ["a rejection", "throw new Error('seed failed');", "unhandledRejection"],
  ])(
    "a program that fails after its run has started, with the default handler exits with 1 after %s, and says that it went on and who can decide otherwise",
    async (_case, failing, source) => {
      const program = startProgram(
        `
      const app = await run(r.resource("app").build(), { shutdownHooks: false });
      app.logger.onLog(({ level, source, message }) => level === "error" && log(source + ": " + message));
      ${failing}
    `,
        { ends: true },
      );

      expect(await program.exited).toEqual([1, null]);
      expect(program.lines()).toEqual([
        `${source}: Error: seed failed`,
        "  The process goes on, and ends with exit code 1 unless it is told another. Decide yourself with " +
          "run(app, { onUnhandledError }); with run(app, { errorBoundary: false }) the runtime ends the process.",
      ]);
    },
  );

  it("a program that fails after its run has started, with the default handler keeps the exit code that it was told", async () => {
    const program = startProgram(
      `
      await run(r.resource("app").build());
      process.exitCode = 7;
      throw new Error("seed failed");
    `,
      { ends: true },
    );

    expect(await program.exited).toEqual([7, null]);
  });

  it("a program that fails after its run has started, with the default handler leaves the exit code to a handler of its own", async () => {
    const program = startProgram(
      `
      await run(r.resource("app").build(), { onUnhandledError: ({ kind }) => log(kind) });
      throw new Error("seed failed");
    `,
      { ends: true },
    );

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["process"]);
  });
});
