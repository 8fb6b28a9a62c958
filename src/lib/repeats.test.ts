import { createRepeats, cutForLog } from "./repeats";

describe("repeats", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const start = () => {
    const repeats = createRepeats({ atOnce: 2, periodMs: 1000 });
    const told: string[] = [];
    const add = (kind: string, name: string) => repeats.add(kind, (repeated) => told.push(`${name}+${repeated}`));
    return { add, told };
  };

  it("repeats are told at once as long as they are few", () => {
    const { add, told } = start();

    add("a", "1");
    add("a", "2");

    expect(told).toEqual(["1+0", "2+0"]);
  });

  it("repeats are counted beyond that, and told as one at the end of the period", () => {
    const { add, told } = start();
    for (let count = 1; count <= 1000; count++) add("a", String(count));

    jest.advanceTimersByTime(1000);

    expect(told).toEqual(["1+0", "2+0", "1000+997"]);
  });

  it("repeats are told at once again in the next period, and of each kind apart", () => {
    const { add, told } = start();
    for (const name of ["1", "2"]) add("a", name);
    add("b", "other");

    jest.advanceTimersByTime(1000);
    add("a", "3");

    expect(told).toEqual(["1+0", "2+0", "other+0", "3+0"]);
    jest.advanceTimersByTime(1000);
    expect(jest.getTimerCount()).toBe(0);
  });
});

it.each([
  ["short", "short"],
  ["x".repeat(200), "x".repeat(200)],
  ["x".repeat(15_000), `${"x".repeat(199)}…`],
])("cutForLog leaves at most 200 characters", (text, cut) => {
  expect(cutForLog(text)).toBe(cut);
});
