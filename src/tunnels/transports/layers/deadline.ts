import { Deadline } from "../../../lib/deadline";
import { longestTimerMs } from "../../../lib/timers";
import { locateFailure } from "../../protocol/callFailure";
import type { TransportLayer } from "../../client/carrier";
import { withLinkedSignal } from "../../client/linkedSignal";
import { targetPath } from "../../protocol/paths";
import type { WireResponse } from "../../protocol/wire";

export interface DeadlineOptions {
  readonly baseUrl: string;
  /** From the first hook to the end of the reply, or to the start of a streamed one. 0, absent, or past 24 days: no limit. */
  readonly timeoutMs?: number | undefined;
  /** What a call that takes too long is rejected with. Default: the `AbortError` of fetch, with the time below. */
  readonly timeoutError?: ((url: string, timeoutMs: number) => Error) | undefined;
}

/** Limits how long a call may take: by the client's configuration, by the call's own option, whichever is less. */
export const deadline =
  ({ baseUrl, timeoutMs = 0, timeoutError }: DeadlineOptions): TransportLayer =>
  (next) => {
    const configured = timeoutMs > 0 && timeoutMs <= longestTimerMs ? timeoutMs : Infinity;
    return (request) => {
      const { target, timeoutMs: own = Infinity } = request;
      const limitMs = Math.min(configured, own);
      if (limitMs > longestTimerMs) return next(request);
      const lateError = (): Error => {
        const error = timeoutError?.(baseUrl + targetPath(target), limitMs) ?? aborted(limitMs);
        return locateFailure(error, target, baseUrl);
      };
      const limit = Deadline.in(limitMs);
      return withLinkedSignal(request, async (limited, abort) => {
        const timer = setTimeout(() => abort(lateError()), limitMs);
        try {
          const response = await next(limited);
          // Both sides count, and the server may be the first to say so.
          if (isDeadlineExceeded(response) && limit.remainingMs <= slackMs) throw lateError();
          return response;
        } finally {
          clearTimeout(timer);
        }
      });
    };
  };

/** How much earlier than a clock says a timer may fire, in ms. */
const slackMs = 5;

const isDeadlineExceeded = ({ status, body }: WireResponse): boolean =>
  status === 504 && body.kind === "text" && body.text.includes('"DEADLINE_EXCEEDED"');

/** `details`: the call may have been taken. */
const aborted = (timeoutMs: number): DOMException =>
  Object.assign(new DOMException(`This operation was aborted\n  no reply within ${timeoutMs} ms`, "AbortError"), {
    details: { delivered: "unknown" },
  });
