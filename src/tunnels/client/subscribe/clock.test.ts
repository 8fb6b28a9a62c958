import { retryAfterMs, retryDelayMs, type Clock } from "./clock";

describe("how long a client waits before it connects once more", () => {
  const at = (random: number): Clock => ({ wait: async () => {}, random: () => random });

  it("is anything from nothing up to a time that doubles from half a second to thirty", () => {
    expect([0, 1, 2, 5, 6, 50].map((failures) => retryDelayMs(failures, undefined, at(1)))).toEqual([
      500, 1000, 2000, 16_000, 30_000, 30_000,
    ]);
    expect(retryDelayMs(6, undefined, at(0))).toBe(0);
  });

  it("is what the server asks for and that, and an hour of the former at most", () => {
    expect(retryDelayMs(0, 2000, at(1))).toBe(2500);
    expect(retryDelayMs(0, 10 ** 12, at(0))).toBe(3_600_000);
  });

  it("reads what the server asks for in seconds or as a date", () => {
    expect([retryAfterMs("3"), retryAfterMs(" 12 "), retryAfterMs("soon"), retryAfterMs(undefined)]).toEqual([
      3000,
      12_000,
      undefined,
      undefined,
    ]);
    expect(retryAfterMs(new Date(0).toUTCString())).toBe(0);
    const inAMinute = retryAfterMs(new Date(Date.now() + 60_000).toUTCString());
    expect(inAMinute).toBeGreaterThan(50_000);
  });
});
