import { platformUnsupportedFunctionError } from "../errors/runErrors";
import { getPlatform, perPlatform, PlatformAdapter, setPlatform, type PlatformId } from "./platform";

interface FakeTarget {
  listeners: Map<string, Set<(event: unknown) => void>>;
  addEventListener(type: string, listener: (event: unknown) => void): void;
  removeEventListener(type: string, listener: (event: unknown) => void): void;
  fire(type: string, event?: unknown): void;
}

function fakeTarget(): FakeTarget {
  const listeners: FakeTarget["listeners"] = new Map();
  return {
    listeners,
    addEventListener: (type, listener) => void listeners.set(type, (listeners.get(type) ?? new Set()).add(listener)),
    removeEventListener: (type, listener) => void listeners.get(type)?.delete(listener),
    fire: (type, event) => listeners.get(type)?.forEach((listener) => listener(event)),
  };
}

const added = new Set<string>();

/** Puts properties on the global object until the end of the test. */
function withGlobals(properties: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(properties)) {
    added.add(key);
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  }
}

const realPlatform = getPlatform();

afterEach(() => {
  for (const key of added) Reflect.deleteProperty(globalThis, key);
  added.clear();
  setPlatform(realPlatform);
  delete process.env["RUNNER_FORCE_NOOP_ALS"];
  jest.restoreAllMocks();
});

function errorOf(fn: () => unknown): unknown {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("PlatformAdapter", () => {
  it("a PlatformAdapter detects its runtime unless told", () => {
    expect(new PlatformAdapter().id).toBe("node");
    expect(new PlatformAdapter("universal")).toMatchObject({ id: "universal", env: "universal" });
    withGlobals({ window: {}, document: {} });
    expect(new PlatformAdapter().id).toBe("browser");
  });

  it("a PlatformAdapter calls timers that are replaced later", () => {
    const platform = new PlatformAdapter("browser");
    const fired = jest.fn();
    jest.useFakeTimers();

    platform.setTimeout(fired, 10);
    platform.clearTimeout(platform.setTimeout(fired, 10));
    jest.advanceTimersByTime(10);
    jest.useRealTimers();

    expect(fired).toHaveBeenCalledTimes(1);
  });
});

describe("PlatformAdapter on Node", () => {
  const platform = new PlatformAdapter("node");

  it.each(["uncaughtException", "unhandledRejection"] as const)(
    "a PlatformAdapter on Node adds and removes its %s listener",
    (type) => {
      const before = process.listenerCount(type);
      const subscribe = type === "uncaughtException" ? "onUncaughtException" : "onUnhandledRejection";

      const remove = platform[subscribe](() => {});

      expect(process.listenerCount(type)).toBe(before + 1);
      remove();
      expect(process.listenerCount(type)).toBe(before);
    },
  );

  it("a PlatformAdapter on Node listens to SIGINT and SIGTERM and names the signal", () => {
    const on = jest.spyOn(process, "on");
    const signals: (string | undefined)[] = [];

    const remove = platform.onShutdownSignal((signal) => signals.push(signal));
    for (const [, listener] of on.mock.calls) listener();
    remove();

    expect(signals).toEqual(["SIGINT", "SIGTERM"]);
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });

  it("a PlatformAdapter on Node has AsyncLocalStorage, which can be forced to hold nothing", () => {
    const storage = platform.createAsyncLocalStorage<number>();
    process.env["RUNNER_FORCE_NOOP_ALS"] = "1";
    const noop = platform.createAsyncLocalStorage<number>();

    expect(platform.hasAsyncLocalStorage()).toBe(true);
    expect(storage.run(1, () => storage.getStore())).toBe(1);
    expect(noop.run(1, () => [noop.getStore(), "ran"])).toEqual([undefined, "ran"]);
  });

  it("a PlatformAdapter on Node reads process.env and exits through the process", () => {
    const exit = jest.spyOn(process, "exit").mockImplementation((() => undefined) as never);
    withGlobals({ __ENV__: { PATH: "elsewhere" } });

    platform.exit(3);

    expect(platform.getEnv("PATH")).toBe(process.env["PATH"]);
    expect(exit).toHaveBeenCalledWith(3);
  });
});

describe.each(["browser", "universal", "edge"] as PlatformId[])("PlatformAdapter off Node: %s", (id) => {
  const platform = new PlatformAdapter(id);

  it("a PlatformAdapter off Node cannot exit, and names the detected runtime when asked to", () => {
    const error = errorOf(() => platform.exit(0));

    expect(platformUnsupportedFunctionError.is(error) && error.data).toEqual({ functionName: "exit" });
    expect((error as Error).message).toContain("Detected platform: node.");
  });

  it("a PlatformAdapter off Node makes storages that cannot be used", () => {
    const storage = platform.createAsyncLocalStorage<number>();

    expect(platform.hasAsyncLocalStorage()).toBe(false);
    expect(errorOf(() => storage.run(1, () => 1))).toMatchObject({
      data: { functionName: "createAsyncLocalStorage" },
    });
    expect(platformUnsupportedFunctionError.is(errorOf(() => storage.getStore()))).toBe(true);
  });

  it("a PlatformAdapter off Node receives errors and rejections of the global scope, unwrapped where possible", () => {
    const target = fakeTarget();
    withGlobals({ ...target, window: id === "universal" ? undefined : target });
    const heard: unknown[] = [];
    const removers = [
      platform.onUncaughtException((error) => heard.push(error)),
      platform.onUnhandledRejection((reason) => heard.push(reason)),
    ];
    const bare = { type: "error" };

    target.fire("error", { error: "thrown" });
    target.fire("error", bare);
    target.fire("unhandledrejection", { reason: "rejected" });
    removers.forEach((remove) => remove());
    target.fire("error", { error: "unheard" });

    expect(heard).toEqual(["thrown", bare, "rejected"]);
  });

  it("a PlatformAdapter off Node does nothing without an event target", () => {
    const remove = platform.onUncaughtException(() => {});

    expect(() => remove()).not.toThrow();
    expect(() => platform.onShutdownSignal(() => {})()).not.toThrow();
  });

  it("a PlatformAdapter off Node reads the first environment record there is", () => {
    process.env["RUNNER_TEST_KEY"] = "process";
    withGlobals({ env: { RUNNER_TEST_KEY: "global" } });
    expect(platform.getEnv("RUNNER_TEST_KEY")).toBe("process");

    withGlobals({ __ENV__: { RUNNER_TEST_KEY: 1 } });
    expect(platform.getEnv("RUNNER_TEST_KEY")).toBe("1");
    expect(platform.getEnv("PATH")).toBeUndefined();
    delete process.env["RUNNER_TEST_KEY"];
  });
});

describe("PlatformAdapter shutdown off Node", () => {
  it("a PlatformAdapter off Node takes unloading and hiding the page as a shutdown, and nothing else", () => {
    const window = fakeTarget();
    const document = { visibilityState: "visible" };
    withGlobals({ window, document });
    const signals: (string | undefined)[] = [];
    const remove = new PlatformAdapter("browser").onShutdownSignal((signal) => signals.push(signal));

    window.fire("visibilitychange");
    document.visibilityState = "hidden";
    window.fire("visibilitychange");
    window.fire("beforeunload");
    remove();
    window.fire("beforeunload");

    expect(signals).toEqual(["visibilitychange", "beforeunload"]);
  });

  it("a PlatformAdapter off Node never shuts an edge runtime down", () => {
    const window = fakeTarget();
    withGlobals({ window });

    new PlatformAdapter("edge").onShutdownSignal(() => {});

    expect(window.listeners.size).toBe(0);
  });
});

describe("PlatformAdapter on Deno and Bun", () => {
  it.each(["Deno", "Bun"])("a PlatformAdapter on Deno and Bun uses the AsyncLocalStorage of %s", (name) => {
    withGlobals({ [name]: {} });
    const platform = new PlatformAdapter();
    const storage = platform.createAsyncLocalStorage<number>();

    expect(platform.id).toBe("universal");
    expect(platform.hasAsyncLocalStorage()).toBe(true);
    expect(storage.run(1, () => storage.getStore())).toBe(1);
  });
});

describe("PlatformAdapter at the edge", () => {
  it.each([
    [
      "Cloudflare, which imitates Node's globals with nodejs_compat",
      { navigator: { userAgent: "Cloudflare-Workers" } },
    ],
    ["Vercel", { EdgeRuntime: "edge-runtime" }],
  ])("a PlatformAdapter at the edge uses the AsyncLocalStorage of %s", (_host, globals) => {
    withGlobals(globals);
    const platform = new PlatformAdapter();
    const storage = platform.createAsyncLocalStorage<number>();

    expect(platform.id).toBe("edge");
    expect(platform.hasAsyncLocalStorage()).toBe(true);
    expect(storage.run(1, () => storage.getStore())).toBe(1);
  });

  it("a PlatformAdapter at the edge uses a storage that is a global, where there are no modules of Node", () => {
    class AsyncLocalStorage {
      run = <R>(_store: number, callback: () => R): R => callback();
      getStore = (): string => "of the global class";
    }
    jest.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
    withGlobals({ EdgeRuntime: "edge-runtime", AsyncLocalStorage });

    expect(new PlatformAdapter().createAsyncLocalStorage<number>().getStore()).toBe("of the global class");
  });
});

describe("perPlatform", () => {
  it("perPlatform keeps one value per adapter", () => {
    let made = 0;
    const value = perPlatform((platform) => `${platform.id} ${++made}`);

    const first = value();
    setPlatform(new PlatformAdapter("edge"));

    expect([first, value(), value()]).toEqual(["node 1", "edge 2", "edge 2"]);
    setPlatform(realPlatform);
    expect(value()).toBe("node 1");
  });
});
