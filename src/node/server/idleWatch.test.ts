import { IdleWatch } from "./idleWatch";

describe("IdleWatch", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it("finds what stood still for the whole time, once", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    jest.advanceTimersByTime(1000);
    expect(onIdle).not.toHaveBeenCalled();
    jest.advanceTimersByTime(5000);

    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it("leaves alone what keeps moving, however slowly", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    for (let step = 0; step < 20; step++) {
      jest.advanceTimersByTime(900);
      watch.touch(onIdle);
    }

    expect(onIdle).not.toHaveBeenCalled();
  });

  it("forgets what is done, and stops its timer when nothing is left", () => {
    const watch = new IdleWatch(1000);
    const onIdle = jest.fn();
    watch.add(onIdle);

    watch.delete(onIdle);
    watch.touch(onIdle);
    jest.advanceTimersByTime(5000);

    expect(onIdle).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});
