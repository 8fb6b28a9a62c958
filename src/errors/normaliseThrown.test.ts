import { runInNewContext } from "node:vm";
import { isError, normalizeError } from "./normaliseThrown";

describe("normalizeError", () => {
  it("normalizeError keeps errors, of whatever realm, as they are", () => {
    const ours = new TypeError("ours");
    const foreign: unknown = runInNewContext("new RangeError('foreign')");

    expect(normalizeError(ours)).toBe(ours);
    expect(normalizeError(foreign)).toBe(foreign);
  });

  it("normalizeError keeps the reason of an abort that gave none", () => {
    const controller = new AbortController();
    controller.abort();

    expect(isError(controller.signal.reason)).toBe(true);
    expect(normalizeError(controller.signal.reason)).toBe(controller.signal.reason);
  });

  it("normalizeError gives anything else the shape of an error", () => {
    expect(normalizeError("lost").message).toBe("lost");
    expect(normalizeError(undefined).message).toBe("undefined");
    expect(normalizeError(Object.create(null)).message).toBe("[object Object]");
  });

  it("normalizeError takes what answers no question for no error", () => {
    const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
    revoke();

    expect(normalizeError(proxy).message).toBe("[object]");
  });
});
