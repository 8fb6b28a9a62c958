import type { TransportLayer } from "../../client/carrier";
import { deadlineHeader } from "../../protocol/headers";
import { traceHeaders } from "../../protocol/traceHeaders";

/**
 * Which of what a call shares with all it calls in turn is told to the server, by headers of their own.
 *
 * A page of another origin may send them only where the exposure's `cors.allowedHeaders` lists them.
 */
export interface Propagation {
  /** The time that is left: `x-runner-deadline-ms`. */
  readonly deadline?: boolean | undefined;
  /** The place in a trace: `traceparent` and `tracestate`. */
  readonly trace?: boolean | undefined;
}

/** Tells the server what is left of the caller's time, and where in a trace the call stands. */
export const propagate =
  (propagated: Propagation): TransportLayer =>
  (next) => {
    if (propagated.deadline !== true && propagated.trace !== true) return next;
    return (request) => {
      const deadline = propagated.deadline === true ? request.deadline : undefined;
      const trace = propagated.trace === true ? request.trace : undefined;
      if (deadline === undefined && trace === undefined) return next(request);
      const headers = {
        ...request.headers,
        ...(deadline !== undefined && { [deadlineHeader]: String(deadline.remainingMs) }),
        ...(trace !== undefined && traceHeaders(trace)),
      };
      return next({ ...request, headers });
    };
  };
