/** Header names of the protocol. @see readmes/TUNNEL_HTTP_POLICY.md */
export const defaultTokenHeader = "x-runner-token";
export const requestIdHeader = "x-runner-request-id";
/** The time that is left for a call, in whole milliseconds. */
export const deadlineHeader = "x-runner-deadline-ms";
/** Which emission an event is, so that it is emitted once where it comes by several paths. */
export const emissionIdHeader = "x-runner-emission-id";
/** Ids of the runs that an emission passed. */
export const viaHeader = "x-runner-via";
/** Makes a call happen once, however often its caller repeats it: 1 to 200 visible ASCII characters. */
export const idempotencyKeyHeader = "x-runner-idempotency-key";
/** `1` on a reply that is remembered from an earlier call with the same key. */
export const replayedHeader = "x-runner-replayed";
/** @see https://www.w3.org/TR/trace-context/ */
export const traceParentHeader = "traceparent";
export const traceStateHeader = "tracestate";

/** How long a server that streams items is silent at most, in whole milliseconds: then it sends a heartbeat. */
export const heartbeatHeader = "x-runner-heartbeat-ms";

/** When another try is worth it, in seconds or as a date (RFC 9110 §10.2.3). */
export const retryAfterHeader = "retry-after";

/** The media type of a stream of items. */
export const itemsContentType = "application/x-runner-items+ndjson";
export const jsonContentType = "application/json; charset=utf-8";

/** Whether an id that a caller gives its request is one that can be logged and sent back. */
export const isUsableRequestId = (id: string): boolean => id.length <= 128 && /^\s*[A-Za-z0-9._:-]+\s*$/.test(id);
