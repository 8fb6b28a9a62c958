import { AsyncLocalStorage } from "node:async_hooks";
import type { IAsyncLocalStorage } from "./asyncStorage";
import { getPlatform, PlatformAdapter, setPlatform } from "./platform";
import { createTrackedScope } from "./trackedScope";

const realPlatform = getPlatform();
afterEach(() => setPlatform(realPlatform));

function deferred<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

describe("createTrackedScope", () => {
  it("createTrackedScope knows the frame across awaits, inside only", async () => {
    const scope = createTrackedScope<string>();

    const seen = await scope.run("a", async () => {
      await Promise.resolve();
      return scope.frames();
    });

    expect(seen).toEqual(["a"]);
    expect(scope.frames()).toEqual([]);
  });

  it("createTrackedScope nests frames and restores the outer one", async () => {
    const scope = createTrackedScope<string>();

    const seen = await scope.run("outer", async () => {
      const inner = await scope.run("inner", async () => {
        await Promise.resolve();
        return scope.frames();
      });
      return { inner, outer: scope.frames() };
    });

    expect(seen).toEqual({ inner: ["inner", "outer"], outer: ["outer"] });
  });

  it("createTrackedScope keeps concurrent calls apart", async () => {
    const scope = createTrackedScope<string>();
    const gate = deferred();
    const observe = async (): Promise<string[]> => {
      await gate.promise;
      return scope.frames();
    };

    const calls = ["a", "b"].map((frame) => scope.run(frame, observe));
    const outside = observe();
    gate.resolve();

    expect(await Promise.all([...calls, outside])).toEqual([["a"], ["b"], []]);
  });

  it("createTrackedScope forgets a frame once its call has settled, also for work that outlives it", async () => {
    const scope = createTrackedScope<string>();
    const gate = deferred();
    const detached: Promise<string[]>[] = [];

    await scope.run("settled", async () => {
      detached.push(gate.promise.then(() => scope.frames()));
    });
    const other = deferred();
    const running = scope.run("other", () => other.promise);
    gate.resolve();

    expect(await detached[0]).toEqual([]);
    other.resolve();
    await running;
  });

  it("createTrackedScope sees the calls still in flight around one that has settled", async () => {
    const scope = createTrackedScope<string>();
    const gate = deferred();

    const seen = await scope.run("outer", async () => {
      let detached!: Promise<string[]>;
      await scope.run("inner", async () => {
        detached = gate.promise.then(() => scope.frames());
      });
      gate.resolve();
      return detached;
    });

    expect(seen).toEqual(["outer"]);
  });

  it("createTrackedScope throws at once what the function throws at once, and recovers", async () => {
    const scope = createTrackedScope<string>();

    expect(() =>
      scope.run("a", () => {
        throw new Error("at once");
      }),
    ).toThrow("at once");

    expect(scope.frames()).toEqual([]);
    expect(await scope.run("b", async () => scope.frames())).toEqual(["b"]);
  });

  it("createTrackedScope passes rejections on, and recovers", async () => {
    const scope = createTrackedScope<string>();

    await expect(scope.run("a", () => Promise.reject(new Error("later")))).rejects.toThrow("later");

    expect(await scope.run("b", async () => scope.frames())).toEqual(["b"]);
  });

  it("createTrackedScope does not mix frames of several scopes", async () => {
    const [one, two] = [createTrackedScope<string>(), createTrackedScope<string>()];

    const seen = await one.run("one", async () => {
      await two.run("two", async () => {});
      await Promise.resolve();
      return [one.frames(), two.frames()];
    });

    expect(seen).toEqual([["one"], []]);
  });

  it("createTrackedScope enables its storage only while something is in flight", async () => {
    const disable = jest.fn();
    const made: string[] = [];
    class Counting extends PlatformAdapter {
      override createAsyncLocalStorage<T>(): IAsyncLocalStorage<T> {
        made.push("storage");
        const storage = new AsyncLocalStorage<T>();
        return { getStore: () => storage.getStore(), run: (store, callback) => storage.run(store, callback), disable };
      }
    }
    setPlatform(new Counting("node"));
    const scope = createTrackedScope<string>();
    expect(made).toEqual([]);

    await scope.run("outer", async () => {
      await scope.run("inner", async () => {});
      expect(disable).not.toHaveBeenCalled();
    });

    expect(disable).toHaveBeenCalledTimes(1);
    expect(made).toEqual(["storage"]);
  });

  it("createTrackedScope only calls the function where there is no AsyncLocalStorage", async () => {
    setPlatform(new PlatformAdapter("edge"));
    const scope = createTrackedScope<string>();

    const seen = await scope.run("a", async () => scope.frames());

    expect(seen).toEqual([]);
  });
});
