import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const root = path.resolve(__dirname, "../../..");

/** A program that has `r` and `run`, prints `ready` once it can be signalled, and would otherwise run on. */
function start(script: string) {
  const program = `
    const { r, run, globals } = require("./src/index.ts");
    const log = (line) => require("node:fs").writeSync(1, line + "\\n");
    setInterval(() => {}, 1000);
    (async () => { ${script} })();
  `;
  const child = spawn(process.execPath, ["-r", "esbuild-register", "-e", program], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "test" },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  return {
    child,
    exited,
    lines: () => output.trim().split("\n"),
    /** Resolves once the program has printed this line, or has ended. */
    async printed(line: string): Promise<void> {
      while (!output.includes(line) && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stdout, "data"), exited]);
      }
    },
  };
}

describe("a process that is asked to stop", () => {
  const resources = `
    const traced = (id) => r.resource(id).init(async () => log("+" + id)).dispose(async () => log("-" + id));
  `;

  it("disposes of what runs, in reverse, and exits with 0; a disposed run is left alone", async () => {
    const program = start(`${resources}
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

  it("while it boots initialises nothing more, rolls back and exits with 0", async () => {
    const program = start(`${resources}
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

  it("a second time while it disposes exits with 1 at once", async () => {
    const program = start(`
      await run(r.resource("app").dispose(() => { log("disposing"); return new Promise(() => {}); }).build());
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");
    await program.printed("disposing");
    program.child.kill("SIGINT");

    expect(await program.exited).toEqual([1, null]);
  });

  it("is left to the runtime with shutdownHooks: false", async () => {
    const program = start(`${resources}
      await run(traced("app").build(), { shutdownHooks: false });
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([null, "SIGTERM"]);
    expect(program.lines()).toEqual(["+app", "ready"]);
  });

  it("survives what nobody handled while a run is alive, and tells the run", async () => {
    const program = start(`
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
