import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import type { ServedRequest } from "./servedRequest";

/**
 * Publishes one request, from its head to the last byte of its reply.
 *
 * @param answer never rejects
 */
export function publishRequest(
  point: TracePoint<RequestTrace>,
  observed: RequestTrace,
  served: ServedRequest,
  answer: () => Promise<Response>,
): Promise<Response> {
  served.observed = observed;
  const replied = new Promise<void>((onReplied) => (served.onReplied = onReplied));
  return new Promise((resolve, reject) => {
    const publishing = point.run(observed, async () => {
      const response = await answer();
      // Its end is at its reader's pace; any other reply is handed out once it was published.
      if (!served.isReplied) resolve(response);
      await replied;
      return response;
    });
    // What a listener has the call run inside may fail.
    publishing.then(resolve, reject);
  });
}
