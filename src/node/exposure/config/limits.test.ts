import { resolveLimits } from "./limits";

describe("resolveLimits", () => {
  it("resolveLimits keeps the defaults of what is left out, key by key", () => {
    const { multipart, jsonBytes } = resolveLimits({ multipart: { fileSize: 5, files: undefined } });

    expect(multipart).toMatchObject({ fileSize: 5, files: 10, fields: 100, fieldSize: 1024 * 1024, parts: 110 });
    expect(jsonBytes).toBe(2 * 1024 * 1024);
  });

  it("resolveLimits takes Infinity for no limit, or for weeks where a timer has to count", () => {
    const { jsonBytes, bodyIdleMs } = resolveLimits({ json: { maxSize: Infinity }, bodyIdleMs: Infinity });

    expect([jsonBytes, bodyIdleMs]).toEqual([Infinity, 2 ** 31 - 1]);
  });
});
