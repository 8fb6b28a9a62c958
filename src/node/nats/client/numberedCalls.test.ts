import { NumberedCalls } from "./numberedCalls";

const create = (): { number: number } => ({ number: -1 });

test("numbers of calls count up, and are found until the call is deleted", () => {
  const calls = new NumberedCalls<{ number: number }>();
  const [first, second] = [create(), create()];
  expect([calls.add(first), calls.add(second)]).toEqual([0, 1]);
  expect([calls.get(0), calls.get(1), calls.count]).toEqual([first, second, 2]);

  expect([calls.delete(first), calls.delete(first)]).toEqual([true, false]);
  expect([calls.get(0), calls.count, calls.all()]).toEqual([undefined, 1, [second]]);
});

test("a number that nothing has any longer does not find the call that came into its place", () => {
  const calls = new NumberedCalls<{ number: number }>();
  const gone = create();
  calls.add(gone);
  calls.delete(gone);
  for (let n = 1; n < 64; n++) {
    const call = create();
    calls.add(call);
    calls.delete(call);
  }
  expect(calls.add(create()) % 64).toBe(gone.number);
  expect(calls.get(gone.number)).toBeUndefined();
  expect([calls.get(Number.NaN), calls.get(-1)]).toEqual([undefined, undefined]);
});

test("calls that last are found among many that come and go, and among many that stay", () => {
  const calls = new NumberedCalls<{ number: number }>();
  const lasting = Array.from({ length: 40 }, create);
  for (const call of lasting) calls.add(call);
  const given = new Set<number>(lasting.map(({ number }) => number));
  for (let n = 0; n < 1000; n++) {
    const call = create();
    given.add(calls.add(call));
    expect(calls.get(call.number)).toBe(call);
    if (n % 10 === 0) lasting.push(call);
    else calls.delete(call);
  }
  expect(given.size).toBe(1040);
  expect(calls.count).toBe(140);
  for (const call of lasting) expect(calls.get(call.number)).toBe(call);
  expect(new Set(calls.all())).toEqual(new Set(lasting));
});
