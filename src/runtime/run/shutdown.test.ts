import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { getPlatform, PlatformAdapter, setPlatform } from "../../platform/platform";
import { registerForShutdown } from "./shutdown";

/** An adapter that is sent signals by hand and only notes exits. */
class FakePlatform extends PlatformAdapter {
  readonly exits: number[] = [];
  readonly handlers = new Set<(signal?: string) => void>();

  override onShutdownSignal = (handler: (signal?: string) => void) => {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  };

  override exit = (code: number): void => void this.exits.push(code);

  send(signal: string): void {
    this.handlers.forEach((handler) => handler(signal));
  }
}

const realPlatform = getPlatform();
let platform: FakePlatform;
beforeEach(() => setPlatform((platform = new FakePlatform("universal"))));
afterEach(() => setPlatform(realPlatform));

/** Lets everything already settled run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function deferred() {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe("registerForShutdown", () => {
  it("registerForShutdown disposes one run after the other, then exits with 0", async () => {
    const log: string[] = [];
    const gate = deferred();
    registerForShutdown(async (reason) => {
      log.push(`first ${reason}`);
      await gate.promise;
      log.push("first done");
    });
    registerForShutdown(async () => void log.push("second"));

    platform.send("SIGTERM");
    await settle();
    expect(log).toEqual(["first SIGTERM"]);
    expect(platform.exits).toEqual([]);
    gate.resolve();
    await settle();

    expect(log).toEqual(["first SIGTERM", "first done", "second"]);
    expect(platform.exits).toEqual([0]);
  });

  it("registerForShutdown goes on after a disposer that fails, and after an exit that is not supported", async () => {
    const second = jest.fn(async () => {});
    platform.exit = new PlatformAdapter("browser").exit;
    registerForShutdown(() => {
      throw new Error("at once");
    });
    registerForShutdown(() => Promise.reject(new Error("later")));
    registerForShutdown(second);

    platform.send("beforeunload");
    await settle();

    expect(second).toHaveBeenCalledTimes(1);
    expect(platform.handlers.size).toBe(0);
  });

  it("registerForShutdown exits with 1 at once on a second signal", async () => {
    const gate = deferred();
    registerForShutdown(() => gate.promise);
    const second = jest.fn(async () => {});
    registerForShutdown(second);

    platform.send("SIGINT");
    platform.send("SIGINT");

    expect(platform.exits).toEqual([1]);
    expect(second).not.toHaveBeenCalled();
    gate.resolve();
    await settle();
  });

  it("registerForShutdown takes each disposer out before it runs, so that nothing is disposed of twice", async () => {
    const dispose = jest.fn(async () => unregister());
    const unregister = registerForShutdown(dispose);

    platform.send("SIGTERM");
    await settle();
    platform.send("SIGTERM");
    await settle();

    expect(dispose).toHaveBeenCalledTimes(1);
    expect(platform.exits).toEqual([0]);
  });

  it("registerForShutdown does not dispose of a run that unregistered, and stops listening after the last", async () => {
    const dispose = jest.fn(async () => {});
    const unregister = registerForShutdown(dispose);
    const handlers = [...platform.handlers];

    unregister();
    handlers.forEach((handler) => handler("SIGTERM"));
    await settle();

    expect(platform.handlers.size).toBe(0);
    expect(dispose).not.toHaveBeenCalled();
    expect(platform.exits).toEqual([]);
  });

  it("registerForShutdown also disposes of a run that registers while shutting down", async () => {
    const late = jest.fn(async (_reason: string) => {});
    registerForShutdown(async () => void registerForShutdown(late));

    platform.send("SIGTERM");
    await settle();

    expect(late).toHaveBeenCalledWith("SIGTERM");
    expect(platform.exits).toEqual([0]);
  });
});

describe("registerForShutdown in a process of its own", () => {
  const root = path.resolve(__dirname, "../../..");

  /** Runs a script that prints "ready" once it can be signalled. */
  async function start(script: string) {
    const imports = `const { registerForShutdown } = require("./src/runtime/run/shutdown.ts");`;
    const child = spawn(process.execPath, ["-r", "esbuild-register", "-e", imports + script], { cwd: root });
    const output: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
    const exited = once(child, "exit") as Promise<[number | null, string | null]>;
    await Promise.race([once(child.stdout, "data"), exited]);
    return { child, output, exited };
  }

  it.each(["SIGINT", "SIGTERM"] as const)(
    "registerForShutdown in a process of its own disposes on %s and exits with 0",
    async (signal) => {
      const { child, output, exited } = await start(`
      registerForShutdown(async (reason) => console.log("disposed " + reason));
      setInterval(() => {}, 1000);
      console.log("ready");
    `);

      child.kill(signal);

      expect(await exited).toEqual([0, null]);
      expect(output.join("")).toBe(`ready\ndisposed ${signal}\n`);
    },
  );

  it("registerForShutdown in a process of its own exits with 1 on a second signal while disposing", async () => {
    const { child, exited } = await start(`
      registerForShutdown(() => { console.log("disposing"); return new Promise(() => {}); });
      setInterval(() => {}, 1000);
      console.log("ready");
    `);

    child.kill("SIGTERM");
    await once(child.stdout, "data");
    child.kill("SIGINT");

    expect(await exited).toEqual([1, null]);
  });

  it("registerForShutdown in a process of its own leaves signals to the runtime once nothing is registered", async () => {
    const { child, exited } = await start(`
      registerForShutdown(async () => {})();
      setInterval(() => {}, 1000);
      console.log("ready");
    `);

    child.kill("SIGTERM");

    expect(await exited).toEqual([null, "SIGTERM"]);
  });
});
