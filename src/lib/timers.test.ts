import { longestTimerMs, settlesWithin } from "./timers";

describe("settlesWithin", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it("settlesWithin is true for what has settled, and leaves no timer", async () => {
    expect(await settlesWithin(Promise.resolve(), 10)).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("settlesWithin is false once the time is over", async () => {
    const inTime = settlesWithin(new Promise(() => {}), 10);
    jest.advanceTimersByTime(10);

    expect(await inTime).toBe(false);
  });

  it("settlesWithin passes a rejection on", async () => {
    await expect(settlesWithin(Promise.reject(new Error("failed")), 10)).rejects.toThrow("failed");
  });

  it("settlesWithin waits as long as a timer can where it is told to wait for ever", async () => {
    let isOver = false;
    void settlesWithin(new Promise(() => {}), Infinity).then(() => (isOver = true));

    await jest.advanceTimersByTimeAsync(longestTimerMs - 1);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
  });
});
