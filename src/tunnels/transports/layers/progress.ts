import { isThenable } from "../../../lib/guards";
import type { TransportLayer } from "../../client/carrier";
import { withLinkedSignal } from "../../client/linkedSignal";

/** A progress callback that throws, or rejects, fails its call, wherever in the carrier it was called. */
export const progress: TransportLayer = (next) => (request) => {
  const { onProgress, onDownloadProgress } = request;
  if (onProgress === undefined && onDownloadProgress === undefined) return next(request);
  return withLinkedSignal(request, (linked, abort) => {
    const guard =
      <P>(report: (progress: P) => void) =>
      (progress: P): void => {
        try {
          const reported = report(progress) as unknown;
          if (isThenable(reported)) reported.then(undefined, abort);
        } catch (error) {
          abort(error);
        }
      };
    return next({
      ...linked,
      onProgress: onProgress && guard(onProgress),
      onDownloadProgress: onDownloadProgress && guard(onDownloadProgress),
    });
  });
};
