import { PaceWatch, type LeastRate } from "./paceWatch";

describe("PaceWatch", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function watchOne(idleMs: number, rate?: LeastRate) {
    const watch = new PaceWatch(idleMs, rate);
    const onStalled = jest.fn();
    let bytes: number | undefined = 0;
    const watched = { progress: () => bytes, onStalled };
    watch.add(watched);
    /** Lets time pass and then moves, over and over. */
    const move = (times: number, everyMs: number, byBytes: number): void => {
      for (let step = 0; step < times; step++) {
        jest.advanceTimersByTime(everyMs);
        if (bytes !== undefined) bytes += byBytes;
      }
    };
    return { watch, watched, onStalled, move, hold: (isHeld: boolean) => void (bytes = isHeld ? undefined : 0) };
  }

  it("PaceWatch finds what stood still for the whole time, once", () => {
    const { onStalled } = watchOne(1000);

    jest.advanceTimersByTime(1000);
    expect(onStalled).not.toHaveBeenCalled();
    jest.advanceTimersByTime(5000);

    expect(onStalled).toHaveBeenCalledTimes(1);
  });

  it("PaceWatch leaves alone what keeps moving, however slowly, where there is no least rate", () => {
    const { onStalled, move } = watchOne(1000);

    move(20, 900, 1);

    expect(onStalled).not.toHaveBeenCalled();
  });

  it("PaceWatch finds what moves more slowly than the least rate", () => {
    const { onStalled, move } = watchOne(1000, { bytesPerSecond: 100, overMs: 4000 });

    move(10, 900, 80);

    expect(onStalled).toHaveBeenCalledTimes(1);
  });

  it("PaceWatch leaves alone what keeps to the least rate on average, also by standing still in between", () => {
    const { onStalled, move } = watchOne(1000, { bytesPerSecond: 100, overMs: 4000 });

    move(20, 900, 100);

    expect(onStalled).not.toHaveBeenCalled();
  });

  it("PaceWatch takes no shorter time for the rate than for standing still", () => {
    const { onStalled, move } = watchOne(4000, { bytesPerSecond: 100, overMs: 10 });

    move(10, 3500, 500);

    expect(onStalled).not.toHaveBeenCalled();
  });

  it("PaceWatch does not count the time in which something else holds it back", () => {
    const { onStalled, move, hold } = watchOne(1000, { bytesPerSecond: 100, overMs: 4000 });

    hold(true);
    move(100, 900, 0);
    expect(onStalled).not.toHaveBeenCalled();
    hold(false);
    jest.advanceTimersByTime(1300);

    expect(onStalled).toHaveBeenCalledTimes(1);
  });

  it("PaceWatch forgets what is done, and stops its timer when nothing is left", () => {
    const { watch, watched, onStalled } = watchOne(1000);

    watch.delete(watched);
    jest.advanceTimersByTime(5000);

    expect(onStalled).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});
