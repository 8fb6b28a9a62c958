import { nearestName } from "./nearestName";

const known = ["basePath", "listen", "auth", "token", "transport"];

it.each([
  ["basepath", "basePath"],
  ["lisen", "listen"],
  ["tokens", "token"],
  ["trasnport", "transport"],
  ["ath", "auth"],
  ["a", undefined],
  ["handlers", undefined],
  ["", undefined],
])("nearestName takes %p for %p", (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});

it("nearestName wastes no time on what is far too long", () => {
  expect(nearestName("x".repeat(1_000_000), known)).toBeUndefined();
});
