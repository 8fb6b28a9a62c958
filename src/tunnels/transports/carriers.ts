import type { Abilities, Carrier } from "../client/carrier";
import { textOrForm } from "../files/formDataBody";
import type { Transport } from "../protocol/wire";
import { fetchCarrier, type FetchCarrierConfig } from "./fetchCarrier";
import { wantsXhr, xhrTransport } from "./xhrTransport";

/**
 * Sends calls by fetch; those that report their progress by XMLHttpRequest where there is one, unless something stands
 * in for fetch.
 */
export function webCarrier(config: FetchCarrierConfig, accepts: Abilities): Carrier {
  const carrier = fetchCarrier(config, accepts, textOrForm);
  const byXhr = xhrTransport(config);
  const send: Transport = (request) =>
    config.fetchImpl === undefined && wantsXhr(request) ? byXhr(request) : carrier.send(request);
  return { ...carrier, send };
}

/** Sends text one way, forms and streams another. */
export const carrierByBody = (text: Carrier, rest: Carrier): Carrier => ({
  ...rest,
  send: (request) => (request.body.kind === "text" ? text : rest).send(request),
  close: async (options) => void (await Promise.all([text.close(options), rest.close(options)])),
});
