// What `protocol/batch.ts` says to servers, once more: pages load this late, and would begin with what both imported.

/** The media type of a batch, and of the replies to its calls. */
export const batchType = "application/x-runner-batch";

/** The headers that belong to one call, and therefore to its line. */
export const lineHeaders: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "x-runner-context",
  "x-runner-request-id",
  "x-runner-deadline-ms",
  "x-runner-emission-id",
  "x-runner-via",
  "x-runner-idempotency-key",
  "traceparent",
  "tracestate",
]);

/** The header that names a request. */
export const idHeader = "x-runner-request-id";
