import type { EmissionOrigin } from "../../../lib/emissionPath";
import type { TransportLayer } from "../../client/carrier";
import { emissionPathHeaders } from "../../protocol/emissionPath";
import { leavingEmissions } from "../../protocol/leavingEmissions";
import type { WireRequest } from "../../protocol/wire";

/**
 * Tells the server which emission an event is and which runs it passed. Not for pages: a fixed list of CORS headers would
 * refuse it.
 */
export const sendEmissionPath: TransportLayer = (next) => (request) => {
  const origin = originOf(request);
  if (origin === undefined) return next(request);
  return next({ ...request, headers: { ...request.headers, ...emissionPathHeaders(origin) } });
};

/** The emission that a request sends, where it is one of this process. */
export function originOf({ target: { kind, id }, origin }: WireRequest): EmissionOrigin | undefined {
  return kind === "event"
    ? (origin ?? leavingEmissions.frames().find(({ emission }) => emission.id === id))
    : undefined;
}
