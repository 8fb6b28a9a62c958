import { Errors, r, TunnelError } from "../../node";
import { judgeRepeat, tellDelivery } from "./safeRepeat";

const withCode = (code: string, extras: object = {}) => Object.assign(new Error(code), { code, ...extras });
const refused = () => withCode("ECONNREFUSED", { syscall: "connect" });
const soldOut = r.error<{ sku: string }>("shop.errors.soldOut").build();

const noConnection: [string, unknown][] = [
  ["a refused connection", refused()],
  ["a name that is not found", withCode("ENOTFOUND", { syscall: "getaddrinfo" })],
  ["a connection that did not come about in time", withCode("UND_ERR_CONNECT_TIMEOUT")],
  ["a refused connection of fetch", new TypeError("fetch failed", { cause: refused() })],
  ["several addresses that refuse", new AggregateError([refused(), refused()])],
  ["OVERLOADED", new TunnelError("OVERLOADED", "x")],
  ["SERVER_CLOSING", new TunnelError("SERVER_CLOSING", "x")],
  ["AUTH_UNAVAILABLE", new TunnelError("AUTH_UNAVAILABLE", "x")],
];
const noReply: [string, unknown][] = [
  ["a reset", withCode("ECONNRESET")],
  ["a broken pipe", withCode("EPIPE")],
  ["a connection that undici lost", withCode("UND_ERR_SOCKET")],
  ["a reply whose head did not come", withCode("UND_ERR_HEADERS_TIMEOUT")],
  ["a time limit of fetch", new DOMException("This operation was aborted", "AbortError")],
  ["a time limit of the Smart client", new TunnelError("REQUEST_TIMEOUT", "x")],
  ["a page whose connection broke", new TypeError("Failed to fetch")],
  [
    "one address that refuses and one that resets",
    new AggregateError([refused(), withCode("ECONNRESET")], "", { cause: withCode("ECONNRESET") }),
  ],
  ["a batch that was lost before the call was answered", new TunnelError("BATCH_LOST", "x")],
  [
    "a server that closed, or had no room for the reply, after the task had begun",
    new TunnelError("SERVER_CLOSING", "x", undefined, { data: { ran: true } }),
  ],
  ["502 of a proxy", new TunnelError("HTTP_ERROR", "x", undefined, { httpCode: 502 })],
  ["503 of a proxy", new TunnelError("HTTP_ERROR", "x", undefined, { httpCode: 503 })],
  ["504 of a proxy", new TunnelError("HTTP_ERROR", "x", undefined, { httpCode: 504 })],
];
const replies: [string, unknown][] = [
  ["a declared error", soldOut.create({ sku: "tea" })],
  [
    "a declared error with the code of a refusal",
    new TunnelError("OVERLOADED", "x", undefined, { id: "shop.errors.soldOut" }),
  ],
  ["a declared error with status 503", new TunnelError("INTERNAL_ERROR", "x", undefined, { id: "a", httpCode: 503 })],
  ["a typed refusal of a middleware", Errors.circuitOpenError.create({ taskId: "a", retryAfterMs: 1 })],
  ["an undeclared failure", new TunnelError("INTERNAL_ERROR", "x")],
  ["a refused token", new TunnelError("UNAUTHORIZED", "x")],
  ["404 of a proxy", new TunnelError("HTTP_ERROR", "x", undefined, { httpCode: 404 })],
  ["a reply that is no envelope", new TunnelError("INVALID_RESPONSE", "x")],
  ["an error of the application's own code", new Error("x")],
  ["what is no error", "ECONNREFUSED"],
];

describe("a call that is made once more", () => {
  it.each(noConnection)("is safe after %s, since the call was never taken", (_what, error) => {
    expect(judgeRepeat(error, false)).toEqual({ delivery: "no", isSafe: true });
    expect(judgeRepeat(error, true)).toEqual({ delivery: "no", isSafe: true });
  });

  it.each(noReply)(
    "is safe after %s for an idempotent task alone, since the call may have been taken",
    (_what, error) => {
      expect(judgeRepeat(error, false)).toEqual({ delivery: "unknown", isSafe: false });
      expect(judgeRepeat(error, true)).toEqual({ delivery: "unknown", isSafe: true });
    },
  );

  it.each(replies)("is not safe after %s, which is the reply", (_what, error) => {
    expect(judgeRepeat(error, false)).toEqual({ delivery: "answered", isSafe: false });
    expect(judgeRepeat(error, true)).toEqual({ delivery: "answered", isSafe: false });
  });
});

describe("details.delivered", () => {
  it("says of a call without a reply whether it was taken", () => {
    expect(tellDelivery(refused(), "no")).toMatchObject({ code: "ECONNREFUSED", details: { delivered: "no" } });
    expect(tellDelivery(new DOMException("late", "AbortError"), "unknown")).toMatchObject({
      details: { delivered: "unknown" },
    });
  });

  it.each<[string, object]>([
    ["a reply", new TunnelError("INTERNAL_ERROR", "x")],
    ["a frozen error", Object.freeze(refused())],
  ])("is not added to %s", (_what, error) => {
    const { delivery } = judgeRepeat(error, false);

    expect(tellDelivery(error, delivery)).not.toHaveProperty("details");
  });

  it("is added to details that are there, as of what a proxy answered", () => {
    const error = new TunnelError("OVERLOADED", "x", { queue: 5 });

    expect(tellDelivery(error, "no").details).toEqual({ queue: 5, delivered: "no" });
  });
});
