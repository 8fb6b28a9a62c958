import { FailureLimit } from "./failureLimit";

function limitAt(options: { max: number; maxAddresses?: number }) {
  const clock = { ms: 0 };
  return { clock, limit: new FailureLimit({ ...options, periodMs: 1000, now: () => clock.ms }) };
}

it("FailureLimit lets an address wait once it has failed too often, until the period that its first failure began ends", () => {
  const { clock, limit } = limitAt({ max: 2 });
  limit.add("a");
  clock.ms = 400;
  expect(limit.waitOf("a")).toBeUndefined();
  limit.add("a");

  expect([limit.waitOf("a"), limit.waitOf("b")]).toEqual([600, undefined]);
  clock.ms = 1000;
  expect(limit.waitOf("a")).toBeUndefined();
  limit.add("a");
  expect(limit.waitOf("a")).toBeUndefined();
});

it("FailureLimit begins a new period with the first failure after the last one", () => {
  const { clock, limit } = limitAt({ max: 1 });
  limit.add("a");
  clock.ms = 1500;
  limit.add("a");

  expect(limit.waitOf("a")).toBe(1000);
});

it("FailureLimit forgets the address whose period began first when there are too many", () => {
  const { limit } = limitAt({ max: 1, maxAddresses: 2 });
  for (const address of ["a", "b", "c"]) limit.add(address);

  expect(["a", "b", "c"].map((address) => limit.waitOf(address))).toEqual([undefined, 1000, 1000]);
});
