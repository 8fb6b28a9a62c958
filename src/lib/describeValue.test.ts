import { describeValue } from "./describeValue";

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe("describeValue", () => {
  it.each([
    ["text", "lost", "lost"],
    ["nothing", undefined, "undefined"],
    ["a symbol", Symbol("lost"), "Symbol(lost)"],
    ["an error", new RangeError("far"), "RangeError: far"],
    ["an object without a prototype", Object.create(null), "[object Object]"],
    ["an object whose toString throws", { toString: () => revoked().toString() }, "[object Object]"],
    ["a proxy that was revoked", revoked(), "[object]"],
  ])("describeValue has words for %s", (_case, value, text) => {
    expect(describeValue(value)).toBe(text);
  });
});
