import { Semaphore, type SemaphoreEvent, type SemaphoreEventType } from "./semaphore";

const eventTypes: SemaphoreEventType[] = ["queued", "acquired", "released", "timeout", "aborted", "disposed"];

function record(semaphore: Semaphore): SemaphoreEvent[] {
  const events: SemaphoreEvent[] = [];
  for (const type of eventTypes) semaphore.on(type, (event) => events.push(event));
  return events;
}

/** Lets everything already settled run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe("Semaphore", () => {
  it.each([0, -1, NaN])("a Semaphore refuses %d permits", (maxPermits) => {
    expect(() => new Semaphore(maxPermits)).toThrow("maxPermits must be greater than 0");
  });

  it("a Semaphore admits as many as there are permits and the others in the order they came", async () => {
    const semaphore = new Semaphore(2);
    const admitted: number[] = [];
    const callers = [1, 2, 3, 4].map((id) => semaphore.acquire().then(() => admitted.push(id)));
    await settle();
    expect(admitted).toEqual([1, 2]);
    expect(semaphore.getWaitingCount()).toBe(2);

    semaphore.release();
    semaphore.release();
    await Promise.all(callers);

    expect(admitted).toEqual([1, 2, 3, 4]);
    expect(semaphore.getAvailablePermits()).toBe(0);
  });

  it("a Semaphore never has more permits than its maximum", async () => {
    const semaphore = new Semaphore(1);

    semaphore.release();
    semaphore.release();
    await semaphore.acquire();

    expect(semaphore.getAvailablePermits()).toBe(0);
  });

  it("a Semaphore gives the permit back when the function fails, at once or later", async () => {
    const semaphore = new Semaphore(1);

    await expect(semaphore.withPermit(() => Promise.reject(new Error("later")))).rejects.toThrow("later");
    await expect(
      semaphore.withPermit(() => {
        throw new Error("at once");
      }),
    ).rejects.toThrow("at once");
    const value = await semaphore.withPermit(async () => 5);

    expect(value).toBe(5);
    expect(semaphore.getAvailablePermits()).toBe(1);
  });

  it("a Semaphore reports its figures", async () => {
    const semaphore = new Semaphore(4);
    await semaphore.acquire();

    expect(semaphore.getMetrics()).toEqual({
      availablePermits: 3,
      waitingCount: 0,
      maxPermits: 4,
      utilization: 0.25,
      disposed: false,
    });
    expect(semaphore.getMaxPermits()).toBe(4);
  });

  it("a Semaphore drains 50,000 waiters in linear time", async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const waiting = Array.from({ length: 50_000 }, () => semaphore.acquire().then(() => semaphore.release()));

    semaphore.release();
    await Promise.all(waiting);

    expect(semaphore.getMetrics()).toMatchObject({ availablePermits: 1, waitingCount: 0 });
  });
});

describe("Semaphore timeouts", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it("a Semaphore stops waiting after the timeout and leaves the line", async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const late = semaphore.acquire({ timeout: 50 });
    const patient = semaphore.acquire();

    jest.advanceTimersByTime(50);

    await expect(late).rejects.toThrow("Semaphore acquire timeout after 50ms");
    expect(semaphore.getWaitingCount()).toBe(1);
    semaphore.release();
    await expect(patient).resolves.toBeUndefined();
  });

  it.each([0, -5, undefined])("a Semaphore waits for ever with timeout %p", async (timeout) => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();

    void semaphore.acquire({ timeout });

    expect(jest.getTimerCount()).toBe(0);
    expect(semaphore.getWaitingCount()).toBe(1);
  });

  it("a Semaphore does not fire at once for a timeout longer than a timer can hold", async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    void semaphore.acquire({ timeout: Infinity });

    jest.advanceTimersByTime(24 * 3_600_000);

    expect(semaphore.getWaitingCount()).toBe(1);
  });

  it("a Semaphore leaves no timer and no abort listener behind, however the wait ends", async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    const remove = jest.spyOn(controller.signal, "removeEventListener");
    await semaphore.acquire();
    const options = { timeout: 1000, signal: controller.signal };

    const admitted = semaphore.acquire(options);
    semaphore.release();
    await admitted;
    expect(jest.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(1);

    const aborted = semaphore.acquire(options);
    controller.abort();
    await expect(aborted).rejects.toThrow("Operation was aborted");
    expect(jest.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(2);

    const disposed = semaphore.acquire({ timeout: 1000 });
    semaphore.dispose();
    await expect(disposed).rejects.toThrow("Semaphore has been disposed");
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("Semaphore abort and dispose", () => {
  it("a Semaphore rejects at once with a signal that already aborted, even when a permit is free", async () => {
    const semaphore = new Semaphore(1);

    const refused = semaphore.acquire({ signal: AbortSignal.abort("gone") });

    await expect(refused).rejects.toMatchObject({ message: "Operation was aborted", cause: "gone" });
    expect(semaphore.getAvailablePermits()).toBe(1);
  });

  it("a Semaphore takes one that aborts out of the middle of the line", async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    await semaphore.acquire();
    const admitted: string[] = [];
    const first = semaphore.acquire().then(() => admitted.push("first"));
    const second = semaphore.acquire({ signal: controller.signal });
    const third = semaphore.acquire().then(() => admitted.push("third"));

    controller.abort();
    semaphore.release();
    semaphore.release();

    await expect(second).rejects.toThrow("Operation was aborted");
    await Promise.all([first, third]);
    expect(admitted).toEqual(["first", "third"]);
  });

  it("a Semaphore does not abort what was admitted already", async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    const events = record(semaphore);
    await semaphore.acquire({ signal: controller.signal });

    controller.abort();

    expect(events.map(({ type }) => type)).toEqual(["acquired"]);
  });

  it("a Semaphore rejects those who wait and those who come after dispose, and ignores releases", async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const waiting = semaphore.acquire();

    semaphore.dispose();
    semaphore.dispose();
    semaphore.release();

    await expect(waiting).rejects.toThrow("Semaphore has been disposed");
    await expect(semaphore.acquire()).rejects.toThrow("Semaphore has been disposed");
    expect(semaphore.isDisposed()).toBe(true);
    expect(semaphore.getAvailablePermits()).toBe(0);
  });

  it("a Semaphore is disposed of at the end of a using block", () => {
    let escaped: Semaphore;
    {
      using semaphore = new Semaphore(1);
      escaped = semaphore;
    }

    expect(escaped.isDisposed()).toBe(true);
  });
});

describe("Semaphore events", () => {
  it("the events of a Semaphore tells what happened with the figures right after", async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    const events = record(semaphore);

    await semaphore.acquire();
    const waiting = semaphore.acquire();
    semaphore.release();
    await waiting;
    const aborted = semaphore.acquire({ signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toThrow("Operation was aborted");
    semaphore.release();
    semaphore.dispose();

    expect(events.map(({ type, permits, waiting }) => [type, permits, waiting])).toEqual([
      ["acquired", 0, 0],
      ["queued", 0, 1],
      ["acquired", 0, 0],
      ["released", 0, 0],
      ["queued", 0, 1],
      ["aborted", 0, 0],
      ["released", 1, 0],
      ["disposed", 1, 0],
    ]);
    expect(events.at(-1)).toEqual({ type: "disposed", permits: 1, waiting: 0, maxPermits: 1, disposed: true });
  });

  it("the events of a Semaphore is not disturbed by handlers that throw or reject", async () => {
    const semaphore = new Semaphore(1);
    semaphore.on("acquired", () => {
      throw new Error("handler");
    });
    semaphore.on("acquired", () => Promise.reject(new Error("handler")));

    await expect(semaphore.acquire()).resolves.toBeUndefined();
  });

  it("the events of a Semaphore stops delivery on unsubscribe, and after one event for once", async () => {
    const semaphore = new Semaphore(5);
    const always = jest.fn();
    const single = jest.fn();
    const stop = semaphore.on("acquired", always);
    semaphore.once("acquired", single);

    await semaphore.acquire();
    await semaphore.acquire();
    stop();
    await semaphore.acquire();

    expect(always).toHaveBeenCalledTimes(2);
    expect(single).toHaveBeenCalledTimes(1);
  });
});
