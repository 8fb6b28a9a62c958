import { Backoff } from "./backoff";

/** Delays before the attempt of a number, from 0 on. */
const delaysBefore = (attempt: number): number[] =>
  Array.from({ length: 1_000 }, () => {
    const backoff = new Backoff();
    for (let earlier = 0; earlier < attempt; earlier++) backoff.next();
    return backoff.next();
  });

it.each([
  [0, 250],
  [1, 500],
  [3, 2_000],
  [5, 8_000],
  [6, 15_000],
])("the delay before attempt %i is random, from a quarter of a second up to %i ms", (attempt, mostMs) => {
  const delays = delaysBefore(attempt);

  expect(Math.min(...delays)).toBeGreaterThanOrEqual(250);
  expect(Math.max(...delays)).toBeLessThanOrEqual(mostMs);
  // Of a thousand, some are in the last tenth.
  expect(Math.max(...delays)).toBeGreaterThan(mostMs * 0.9 - 1);
});

it("the delay before attempt 2,000, and before each that follows, is what it was before attempt 6", () => {
  const backoff = new Backoff();
  for (let earlier = 0; earlier < 2_000; earlier++) backoff.next();
  const delays = Array.from({ length: 1_000 }, () => backoff.next());

  expect(Math.min(...delays)).toBeGreaterThanOrEqual(250);
  expect(Math.max(...delays)).toBeLessThanOrEqual(15_000);
  expect(Math.max(...delays)).toBeGreaterThan(13_499);
});

it("delays begin anew once a connection stood", () => {
  const backoff = new Backoff();
  for (let attempt = 0; attempt < 10; attempt++) backoff.next();
  backoff.reset();

  expect(backoff.next()).toBe(250);
});
