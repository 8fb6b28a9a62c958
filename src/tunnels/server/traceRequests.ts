import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import { requestIdHeader } from "../protocol/headers";
import { readTrace } from "../protocol/traceHeaders";
import type { Transport, WireHeaders, WireTarget } from "../protocol/wire";

/** Code of a request whose reply broke off. */
export const incompleteReply = "INCOMPLETE_REPLY";

/** What is published of a request, as far as its head says it. */
export function requestTraceOf(target: WireTarget | undefined, headers: WireHeaders, origin: string): RequestTrace {
  const rest = { requestId: headers[requestIdHeader]?.toString(), origin, trace: readTrace(headers) };
  if (target?.kind === "task") return { taskId: target.id, ...rest };
  return target?.kind === "event" ? { eventId: target.id, ...rest } : rest;
}

/** Publishes the calls of a server that has no edge of its own. */
export const traceRequests =
  (handler: Transport, point: TracePoint<RequestTrace> | undefined, origin: string): Transport =>
  (request) => {
    if (point?.isOn !== true) return handler(request);
    const observed = requestTraceOf(request.target, request.headers, origin);
    return point.run(observed, async () => {
      if (request.body.kind === "text") observed.bytesIn = byteLength(await request.body.read());
      const response = await handler({ ...request, observed });
      observed.status = response.status;
      if (response.body.kind === "text") observed.bytesOut = byteLength(response.body.text);
      return response;
    });
  };

/** Publishes a batch that was refused as a whole, once it was; else its calls are published, and not the request. */
export function publishRefusedBatch(point: TracePoint<RequestTrace>, observed: RequestTrace): void {
  if (observed.code !== undefined) point.begin(observed, (end) => end());
}

export const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
