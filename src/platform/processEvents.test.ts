import { getPlatform, PlatformAdapter, setPlatform } from "./platform";
import { onShutdownSignal, onUncaughtError } from "./processEvents";

/** An adapter whose process events are fired by hand. */
class FakePlatform extends PlatformAdapter {
  readonly installed = {
    uncaughtException: new Set<(error: Error) => void>(),
    unhandledRejection: new Set<(reason: unknown) => void>(),
    signal: new Set<(signal?: string) => void>(),
  };

  override onUncaughtException = (handler: (error: Error) => void) => add(this.installed.uncaughtException, handler);
  override onUnhandledRejection = (handler: (reason: unknown) => void) =>
    add(this.installed.unhandledRejection, handler);
  override onShutdownSignal = (handler: (signal?: string) => void) => add(this.installed.signal, handler);

  counts(): number[] {
    return Object.values(this.installed).map((handlers) => handlers.size);
  }
}

function add<T>(handlers: Set<T>, handler: T): () => void {
  handlers.add(handler);
  return () => void handlers.delete(handler);
}

const realPlatform = getPlatform();
let platform: FakePlatform;
beforeEach(() => setPlatform((platform = new FakePlatform("universal"))));
afterEach(() => setPlatform(realPlatform));

describe("onUncaughtError", () => {
  it("onUncaughtError installs one listener of each kind for all handlers and removes them after the last", () => {
    const removeFirst = onUncaughtError(() => {});
    const removeSecond = onUncaughtError(() => {});
    expect(platform.counts()).toEqual([1, 1, 0]);

    removeFirst();
    expect(platform.counts()).toEqual([1, 1, 0]);
    removeSecond();
    expect(platform.counts()).toEqual([0, 0, 0]);

    onUncaughtError(() => {})();
    expect(platform.counts()).toEqual([0, 0, 0]);
  });

  it("onUncaughtError dispatches to every handler with the source, whatever other handlers do", () => {
    const heard: unknown[] = [];
    const removers = [
      onUncaughtError(() => {
        throw new Error("handler");
      }),
      onUncaughtError(async () => Promise.reject(new Error("handler"))),
      onUncaughtError((error, source) => heard.push([error, source])),
    ];

    const thrown = new Error("thrown");
    platform.installed.uncaughtException.forEach((fire) => fire(thrown));
    platform.installed.unhandledRejection.forEach((fire) => fire("rejected"));
    removers.forEach((remove) => remove());

    expect(heard).toEqual([
      [thrown, "uncaughtException"],
      ["rejected", "unhandledRejection"],
    ]);
  });

  it("onUncaughtError keeps the handlers of an adapter apart from those of another", () => {
    const first = platform;
    const removeFirst = onUncaughtError(() => {});
    setPlatform((platform = new FakePlatform("universal")));
    const removeSecond = onUncaughtError(() => {});

    removeFirst();

    expect(first.counts()).toEqual([0, 0, 0]);
    expect(platform.counts()).toEqual([1, 1, 0]);
    removeSecond();
  });
});

describe("onShutdownSignal", () => {
  it("onShutdownSignal shares one listener and names the signal", () => {
    const heard: string[] = [];
    const removers = [
      onShutdownSignal((signal) => heard.push(signal)),
      onShutdownSignal((signal) => heard.push(signal)),
    ];
    expect(platform.counts()).toEqual([0, 0, 1]);

    platform.installed.signal.forEach((fire) => fire("SIGTERM"));
    removers.forEach((remove) => remove());

    expect(heard).toEqual(["SIGTERM", "SIGTERM"]);
    expect(platform.counts()).toEqual([0, 0, 0]);
  });
});
