import type { TransportLayer } from "../../client/carrier";
import { locateFailure } from "../../protocol/callFailure";

/**
 * Has what goes wrong between client and server say which call it ended.
 *
 * @param isCallers whether an error is the caller's own: those are passed on as they are, and so is a signal's reason
 */
export const locatedFailures =
  (baseUrl: string, isCallers: (error: unknown) => boolean = () => false): TransportLayer =>
  (next) =>
  (request) =>
    next(request).catch((error: unknown) => {
      const { signal, target } = request;
      throw (signal?.aborted === true && error === signal.reason) || isCallers(error)
        ? error
        : locateFailure(error, target, baseUrl);
    });
