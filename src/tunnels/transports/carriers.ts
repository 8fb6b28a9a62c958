import { loadOnce } from "../../lib/loadOnce";
import { onAbort } from "../../lib/onAbort";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { Abilities, Carrier } from "../client/carrier";
import { requestIdHeader } from "../protocol/headers";
import { targetPath } from "../protocol/paths";
import { redirected } from "../protocol/redirect";
import { isStreamedReply } from "../protocol/replyKind";
import { defaultReplyBytes, replyTooLarge } from "../protocol/replyLimit";
import type { Transport, WireRequest } from "../protocol/wire";
import { fetchCarrier, webBody, type FetchCarrierConfig } from "./fetchCarrier";

/**
 * Sends calls by fetch; those that report their progress by XMLHttpRequest where there is one, unless something stands
 * in for fetch.
 */
export function webCarrier(config: FetchCarrierConfig, accepts: Abilities): Carrier {
  const carrier = fetchCarrier(config, accepts);
  const { baseUrl, maxReplyBytes = defaultReplyBytes } = config;
  /** Values too are handed over: what is loaded brings nothing that the client has. */
  const xhr = loadOnce(() =>
    import("./xhrTransport").then(({ xhrTransport }) =>
      xhrTransport({
        maxReplyBytes,
        urlOf: (target) => baseUrl + targetPath(target),
        bodyOf: webBody,
        onAbort,
        isStreamed: isStreamedReply,
        requestIdHeader,
        tooLarge: replyTooLarge,
        redirected,
      }),
    ),
  );
  const send: Transport = async (request) => {
    const isByXhr = config.fetchImpl === undefined && wantsXhr(request);
    return isByXhr ? (await settleOrAbort(xhr(), request.signal))(request) : carrier.send(request);
  };
  return { ...carrier, send };
}

/** Whether a call wants its progress and can have it: fetch reports nothing of uploads. */
const wantsXhr = ({ onProgress, onDownloadProgress }: WireRequest): boolean =>
  (onProgress ?? onDownloadProgress) !== undefined && typeof globalThis.XMLHttpRequest === "function";

/** Sends text one way, forms and streams another. */
export const carrierByBody = (text: Carrier, rest: Carrier): Carrier => ({
  ...rest,
  send: (request) => (request.body.kind === "text" ? text : rest).send(request),
  close: async (options) => void (await Promise.all([text.close(options), rest.close(options)])),
});
