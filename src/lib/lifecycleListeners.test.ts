import { createLifecycleListeners, createListenerSet } from "./lifecycleListeners";

describe("createListenerSet", () => {
  it("createListenerSet calls handlers in the order they were added", () => {
    const set = createListenerSet<string>();
    const heard: string[] = [];
    set.add((event) => heard.push(`first ${event}`));
    set.add((event) => heard.push(`second ${event}`));

    set.emit("a");

    expect(heard).toEqual(["first a", "second a"]);
  });

  it("createListenerSet swallows what handlers throw and reject with, and goes on", async () => {
    const set = createListenerSet<string>();
    const last = jest.fn();
    set.add(() => {
      throw new Error("thrown");
    });
    set.add(() => Promise.reject(new Error("rejected")));
    set.add(last);

    expect(() => set.emit("a")).not.toThrow();

    // An unhandled rejection would fail the test file.
    await Promise.resolve();
    expect(last).toHaveBeenCalledWith("a");
  });

  it("createListenerSet counts a function added twice as two registrations", () => {
    const set = createListenerSet<string>();
    const handler = jest.fn();
    const removeFirst = set.add(handler);
    set.add(handler);

    removeFirst();
    removeFirst();
    set.emit("a");

    expect(handler).toHaveBeenCalledTimes(1);
    expect(set.size).toBe(1);
  });

  it("createListenerSet skips a handler that was removed during the event and keeps one added during it for the next", () => {
    const set = createListenerSet<string>();
    const removed = jest.fn();
    const added = jest.fn();
    set.add(() => {
      removeLater();
      set.add(added);
    });
    const removeLater = set.add(removed);

    set.emit("a");

    expect(removed).not.toHaveBeenCalled();
    expect(added).not.toHaveBeenCalled();
  });
});

describe("createLifecycleListeners", () => {
  type Event = { type: "start" | "stop"; id: number };

  it("createLifecycleListeners delivers events of the subscribed type only, until unsubscribed", () => {
    const listeners = createLifecycleListeners<Event>();
    const heard: Event[] = [];
    const stop = listeners.on("start", (event) => heard.push(event));

    listeners.emit("start", (type) => ({ type, id: 1 }));
    listeners.emit("stop", (type) => ({ type, id: 2 }));
    stop();
    listeners.emit("start", (type) => ({ type, id: 3 }));

    expect(heard).toEqual([{ type: "start", id: 1 }]);
  });

  it("createLifecycleListeners fires once at most once, also when the handler emits the event again", () => {
    const listeners = createLifecycleListeners<Event>();
    const handler = jest.fn(() => listeners.emit("start", (type) => ({ type, id: 2 })));
    listeners.once("start", handler);

    listeners.emit("start", (type) => ({ type, id: 1 }));

    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("createLifecycleListeners does not make the event without listeners", () => {
    const listeners = createLifecycleListeners<Event>();
    const makeEvent = jest.fn((): Event => ({ type: "start", id: 1 }));

    listeners.emit("start", makeEvent);
    listeners.on("start", () => {})();
    listeners.emit("start", makeEvent);

    expect(makeEvent).not.toHaveBeenCalled();
  });
});
