import { QueueDelay } from "./queueDelay";

it("a message waited for as long as it is later than the quickest one of its sender, whatever the clocks say", () => {
  const delays = new QueueDelay();
  const ahead = 3_600_000;

  expect(delays.of("a", 1000 + ahead, 1010)).toBe(0);
  expect(delays.of("a", 2000 + ahead, 2510)).toBe(500);
  expect(delays.of("a", 3000 + ahead, 3005)).toBe(0);
  expect(delays.of("a", 4000 + ahead, 4010)).toBe(5);
});

it("a clock that was set is forgotten within two minutes", () => {
  const delays = new QueueDelay();
  delays.of("a", 0, 10);
  const set = 5000;

  expect(delays.of("a", 61_000 - set, 61_010)).toBe(set);
  expect(delays.of("a", 122_000 - set, 122_010)).toBe(0);
});

it("senders that are not heard of any more make room", () => {
  const delays = new QueueDelay();
  delays.of("first", 0, 0);
  for (let index = 0; index < 1000; index++) delays.of(`sender ${index}`, 0, 0);

  expect(delays.of("first", 0, 500)).toBe(0);
});
