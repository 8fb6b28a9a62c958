import type { TransportLayer } from "../../client/carrier";
import { emissionPathHeaders } from "../../protocol/emissionPath";
import { leavingEmissions } from "../../protocol/leavingEmissions";

/**
 * Tells the server which emission an event is and which runs it passed. Not for pages: a fixed list of CORS headers would
 * refuse it.
 */
export const sendEmissionPath: TransportLayer = (next) => (request) => {
  const { kind, id } = request.target;
  const origin = kind === "event" ? leavingEmissions.frames().find(({ emission }) => emission.id === id) : undefined;
  if (origin === undefined) return next(request);
  return next({ ...request, headers: { ...request.headers, ...emissionPathHeaders(origin) } });
};
