import { isRepeated, valuesOf } from "./repeatedHeaders";

const rawHeaders = ["Host", "localhost", "X-Runner-Token", "a", "x-runner-token", "b", "x-value", "x-runner-token"];

it.each([
  ["x-runner-token", true],
  ["host", false],
  ["x-value", false],
  ["absent", false],
])("%s arrived more than once: %s", (name, expected) => {
  expect(isRepeated({ rawHeaders }, name)).toBe(expected);
});

it("all values of a header are kept in their order", () => {
  expect(valuesOf({ rawHeaders }, "x-runner-token")).toEqual(["a", "b"]);
});

it("a request that was made without raw headers repeats none", () => {
  expect(isRepeated({} as { rawHeaders: string[] }, "host")).toBe(false);
});
