import type { Abilities, Carrier } from "../../tunnels/client/carrier";
import { fetchCarrier, type FetchCarrierConfig } from "../../tunnels/transports/fetchCarrier";
import { toReadable } from "./byteSources";

/** Sends calls by fetch; a streamed reply is a stream of Node. */
export function nodeFetchCarrier(config: FetchCarrierConfig, accepts: Abilities): Carrier {
  const carrier = fetchCarrier(config, accepts);
  return {
    ...carrier,
    async send(request) {
      const response = await carrier.send(request);
      const { body } = response;
      return body.kind === "stream" ? { ...response, body: { ...body, stream: toReadable(body.stream) } } : response;
    },
  };
}
