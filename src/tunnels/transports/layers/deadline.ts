import { longestTimerMs } from "../../../lib/timers";
import { locateFailure } from "../../protocol/callFailure";
import type { TransportLayer } from "../../client/carrier";
import { withLinkedSignal } from "../../client/linkedSignal";
import { targetPath } from "../../protocol/paths";

export interface DeadlineOptions {
  readonly baseUrl: string;
  /** From the first hook to the end of the reply, or to the start of a streamed one. 0, absent, or past 24 days: no limit. */
  readonly timeoutMs?: number | undefined;
  /** What a call that takes too long is rejected with. Default: the `AbortError` of fetch, with the time below. */
  readonly timeoutError?: ((url: string, timeoutMs: number) => Error) | undefined;
}

/** Limits how long a call may take. */
export const deadline =
  ({ baseUrl, timeoutMs = 0, timeoutError }: DeadlineOptions): TransportLayer =>
  (next) => {
    if (!(timeoutMs > 0 && timeoutMs <= longestTimerMs)) return next;
    return (request) =>
      withLinkedSignal(request, async (limited, abort) => {
        const { target } = request;
        const expire = (): void => {
          const error = timeoutError?.(baseUrl + targetPath(target), timeoutMs) ?? aborted(timeoutMs);
          abort(locateFailure(error, target, baseUrl));
        };
        const timer = setTimeout(expire, timeoutMs);
        try {
          return await next(limited);
        } finally {
          clearTimeout(timer);
        }
      });
  };

const aborted = (timeoutMs: number): DOMException =>
  new DOMException(`This operation was aborted\n  no reply within ${timeoutMs} ms`, "AbortError");
