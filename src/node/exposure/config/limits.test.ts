import { resolveLimits } from "./limits";

describe("resolveLimits", () => {
  it("keeps the defaults of what is left out, key by key", () => {
    const { multipart, jsonBytes } = resolveLimits({ multipart: { fileSize: 5, files: undefined } });

    expect(multipart).toMatchObject({ fileSize: 5, files: 10, fields: 100, fieldSize: 1024 * 1024, parts: 110 });
    expect(jsonBytes).toBe(2 * 1024 * 1024);
  });

  it("takes Infinity for no limit, or for weeks where a timer has to count", () => {
    const { jsonBytes, bodyIdleMs, closeMs } = resolveLimits({
      json: { maxSize: Infinity },
      bodyIdleMs: Infinity,
      closeMs: Infinity,
    });

    expect([jsonBytes, bodyIdleMs, closeMs]).toEqual([Infinity, 2 ** 31 - 1, 2 ** 31 - 1]);
  });
});
