/** Where a call stands in a trace. @see https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 hex digits, the same for all calls of the trace. */
  readonly traceId: string;
  /** 16 hex digits: the call itself. */
  readonly spanId: string;
  /** 16 hex digits: the call around it, where that is known. Not sent. */
  readonly parentSpanId?: string | undefined;
  /** 2 hex digits; the last bit says that the trace is recorded. */
  readonly flags: string;
  /** What vendors add, as it arrived. */
  readonly state?: string | undefined;
}

/** The place of a call inside a trace: a span id of its own. */
export const childOf = (trace: TraceContext): TraceContext => ({
  ...trace,
  spanId: randomSpanId(),
  parentSpanId: trace.spanId,
});

function randomSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  // All zeros are no id.
  bytes[0] = (bytes[0] as number) | 1;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
