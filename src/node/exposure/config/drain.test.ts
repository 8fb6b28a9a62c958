import { resolveDrain } from "./drain";

describe("resolveDrain", () => {
  it("resolveDrain keeps the defaults of what is left out, key by key", () => {
    expect(resolveDrain({ quietMs: 5 }, undefined)).toEqual({ delayMs: 0, quietMs: 5, graceMs: 10_000 });
  });

  it("resolveDrain takes limits.closeMs for graceMs, and Infinity for weeks", () => {
    expect(resolveDrain(undefined, { closeMs: Infinity }).graceMs).toBe(2 ** 31 - 1);
  });

  it("resolveDrain takes both names of one time only where they say the same", () => {
    expect(resolveDrain({ graceMs: 5 }, { closeMs: 5 }).graceMs).toBe(5);
    expect(() => resolveDrain({ graceMs: 5 }, { closeMs: 6 })).toThrow("two names of one time");
  });

  it.each([
    ["http.drain.delayMs", { delayMs: "5s" }, undefined],
    ["http.drain.quietMs", { quietMs: -1 }, undefined],
    ["http.drain.graceMs", { graceMs: NaN }, undefined],
    ["http.limits.closeMs", undefined, { closeMs: "5s" }],
  ])("resolveDrain names %s where it makes no sense", (field, drain, limits) => {
    expect(() => resolveDrain(drain, limits)).toThrow(`${field} must be a number of at least 0`);
  });
});
