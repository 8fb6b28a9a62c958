import { WaitWatch } from "./waitWatch";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it("a wait watch reports what takes long, once, and says what is waited for", () => {
  const slow: string[] = [];
  const watch = new WaitWatch(1000, (name) => slow.push(name));

  watch.begin("a");
  jest.advanceTimersByTime(400);
  watch.begin("b");
  expect(watch.names).toEqual(["a", "b"]);
  jest.advanceTimersByTime(600);
  expect(slow).toEqual(["a"]);
  jest.advanceTimersByTime(5000);

  expect(slow).toEqual(["a", "b"]);
  expect(jest.getTimerCount()).toBe(0);
});

it("a wait watch keeps one timer for any number of waits, and none once it is stopped", () => {
  const slow: string[] = [];
  const watch = new WaitWatch(1000, (name) => slow.push(name));

  for (const name of ["a", "b", "c"]) {
    watch.begin(name);
    expect(jest.getTimerCount()).toBe(1);
    watch.end(name);
  }
  watch.stop();
  expect(jest.getTimerCount()).toBe(0);

  watch.begin("d");
  jest.advanceTimersByTime(1000);

  expect(slow).toEqual(["d"]);
  expect(watch.names).toEqual(["d"]);
});
