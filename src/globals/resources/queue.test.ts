import { AsyncLocalStorage } from "node:async_hooks";
import { getPlatform, PlatformAdapter, setPlatform } from "../../platform/platform";
import { createTrackedScope } from "../../platform/trackedScope";
import { Queue, type QueueEvent, type QueueEventType } from "./queue";

const realPlatform = getPlatform();
afterEach(() => setPlatform(realPlatform));

const eventTypes: QueueEventType[] = ["enqueue", "start", "finish", "error", "cancel", "disposed"];
const deadLock = "Dead\u2011lock detected: a queued task attempted to queue another task";

function record(queue: Queue): QueueEvent[] {
  const events: QueueEvent[] = [];
  for (const type of eventTypes) queue.on(type, (event) => events.push(event));
  return events;
}

function deferred<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

describe("Queue", () => {
  it("a Queue runs one task at a time, in the order they came", async () => {
    const queue = new Queue();
    const log: string[] = [];
    const task = (id: string) => async () => {
      log.push(`start ${id}`);
      await Promise.resolve();
      log.push(`end ${id}`);
      return id;
    };

    const values = await Promise.all([queue.run(task("a")), queue.run(task("b"))]);

    expect(values).toEqual(["a", "b"]);
    expect(log).toEqual(["start a", "end a", "start b", "end b"]);
  });

  it("a Queue fails the caller of a failing task and goes on", async () => {
    const queue = new Queue();

    const failures = [
      queue.run(() => Promise.reject(new Error("later"))),
      queue.run(() => {
        throw new Error("at once");
      }),
    ];
    const last = queue.run(async () => "fine");

    await expect(failures[0]).rejects.toThrow("later");
    await expect(failures[1]).rejects.toThrow("at once");
    await expect(last).resolves.toBe("fine");
  });

  it("a Queue runs each task in the async context of its caller", async () => {
    const queue = new Queue();
    const context = new AsyncLocalStorage<string>();

    const seen = await Promise.all(
      ["a", "b"].map((id) => context.run(id, () => queue.run(async () => context.getStore()))),
    );

    expect(seen).toEqual(["a", "b"]);
  });

  it("a Queue tells the life of each task", async () => {
    const queue = new Queue();
    const events = record(queue);

    await queue.run(async () => 1);
    await queue.run(() => Promise.reject("text")).catch(() => {});
    await queue.dispose();

    expect(events.map(({ type, taskId, disposed }) => [type, taskId, disposed])).toEqual([
      ["enqueue", 1, false],
      ["start", 1, false],
      ["finish", 1, false],
      ["enqueue", 2, false],
      ["start", 2, false],
      ["error", 2, false],
      ["disposed", 0, true],
    ]);
    expect(events[5]?.error).toEqual(new Error("text"));
  });

  it("a Queue is not disturbed by handlers that throw or reject, and honours once and unsubscribe", async () => {
    const queue = new Queue();
    const single = jest.fn(() => Promise.reject(new Error("handler")));
    const never = jest.fn();
    queue.once("start", single);
    queue.on("start", () => {
      throw new Error("handler");
    });
    queue.on("start", never)();

    await queue.run(async () => 1);
    await queue.run(async () => 2);

    expect(single).toHaveBeenCalledTimes(1);
    expect(never).not.toHaveBeenCalled();
  });
});

describe("Queue dead-locks", () => {
  it("a Queue rejects a task queued from inside a task of the same queue", async () => {
    const queue = new Queue();

    const nested = queue.run(async () => {
      await Promise.resolve();
      return queue.run(async () => 1);
    });

    await expect(nested).rejects.toThrow(deadLock);
    await expect(queue.run(async () => 2)).resolves.toBe(2);
  });

  it("a Queue rejects a task queued around a corner, through another queue", async () => {
    const [first, second] = [new Queue(), new Queue()];

    const around = first.run(() => second.run(() => first.run(async () => 1)));

    await expect(around).rejects.toThrow(deadLock);
  });

  it("a Queue tells queues that share a scope apart", async () => {
    const scope = createTrackedScope<Queue>();
    const [first, second] = [new Queue(scope), new Queue(scope)];

    await expect(first.run(() => second.run(async () => 1))).resolves.toBe(1);
    await expect(first.run(() => second.run(() => first.run(async () => 1)))).rejects.toThrow(deadLock);
  });

  it("a Queue accepts a task from work that outlived the task it came from", async () => {
    const queue = new Queue();
    const gate = deferred();
    const late: Promise<string>[] = [];
    await queue.run(async () => {
      late.push(gate.promise.then(() => queue.run(async () => "late")));
    });

    const running = queue.run(() => gate.promise);
    gate.resolve();

    await expect(late[0]).resolves.toBe("late");
    await running;
  });

  it("a Queue accepts tasks from outside while one is running", async () => {
    const queue = new Queue();
    const gate = deferred();

    const running = queue.run(() => gate.promise);
    const waiting = queue.run(async () => 2);
    gate.resolve();

    await expect(Promise.all([running, waiting])).resolves.toEqual([undefined, 2]);
  });

  it("a Queue works, without detection, where there is no AsyncLocalStorage", async () => {
    setPlatform(new PlatformAdapter("edge"));
    const queue = new Queue();
    const nested: Promise<number>[] = [];

    await queue.run(async () => void nested.push(queue.run(async () => 1)));

    await expect(nested[0]).resolves.toBe(1);
  });
});

describe("Queue abort and dispose", () => {
  it("a Queue finishes what was queued, then refuses", async () => {
    const queue = new Queue();
    const done: number[] = [];
    void queue.run(async () => void done.push(1));
    void queue.run(async () => void done.push(2));

    const disposal = queue.dispose();

    expect(queue.dispose()).toBe(disposal);
    await expect(queue.run(async () => 3)).rejects.toThrow("Queue has been disposed");
    await disposal;
    expect(done).toEqual([1, 2]);
  });

  it("a Queue aborts the signal of running and queued tasks with cancel, and still runs them", async () => {
    const queue = new Queue();
    const events = record(queue);
    const gate = deferred();
    const running = queue.run(async (signal) => {
      await gate.promise;
      return signal.aborted;
    });
    const queued = queue.run(async (signal) => signal.aborted);

    const disposal = queue.dispose({ cancel: true });
    gate.resolve();

    await expect(Promise.all([running, queued])).resolves.toEqual([true, true]);
    await disposal;
    expect(events.filter(({ taskId }) => taskId === 0).map(({ type }) => type)).toEqual(["disposed", "cancel"]);
  });

  it("a Queue still cancels when asked to after a plain dispose, once", async () => {
    const queue = new Queue();
    const cancelled = jest.fn();
    queue.on("cancel", cancelled);
    const waiting = queue.run(
      (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"))),
    );
    const disposal = queue.dispose();
    await Promise.resolve();

    void queue.dispose({ cancel: true });
    void queue.dispose({ cancel: true });

    await disposal;
    await expect(waiting).resolves.toBe("aborted");
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  it("a Queue takes a waiting task out when its caller's signal aborts, and never starts it", async () => {
    const queue = new Queue();
    const events = record(queue);
    const gate = deferred();
    const controller = new AbortController();
    const running = queue.run(() => gate.promise, { signal: controller.signal });
    await Promise.resolve();
    const task = jest.fn(async () => 1);
    const waiting = queue.run(task, { signal: controller.signal });

    controller.abort("gone");

    await expect(waiting).rejects.toMatchObject({ message: "Operation was aborted", cause: "gone" });
    gate.resolve();
    await running;
    await queue.dispose();
    expect(task).not.toHaveBeenCalled();
    expect(events.filter(({ taskId }) => taskId === 2).map(({ type }) => type)).toEqual(["enqueue", "cancel"]);
    await expect(new Queue().run(task, { signal: controller.signal })).rejects.toThrow("Operation was aborted");
  });

  it("a Queue waits for its tasks at the end of an await using block", async () => {
    let finished = false;
    {
      await using queue = new Queue();
      void queue.run(async () => {
        await Promise.resolve();
        finished = true;
      });
    }

    expect(finished).toBe(true);
  });
});
