import { settleOrAbort } from "../../../lib/settleOrAbort";
import type { MaybePromise } from "../../../lib/typeLevel";
import type { TransportLayer } from "../../client/carrier";
import { targetPath } from "../../protocol/paths";
import type { WireHeaders } from "../../protocol/wire";

/** What a hook sees of a request, and may change of it. */
export interface OutgoingRequest {
  readonly url: string;
  /** Names in lower case; written ones may have any. Adding, replacing and deleting is honoured. */
  readonly headers: Record<string, string>;
}

export interface RequestHooksOptions {
  readonly baseUrl: string;
  /** Last word on the headers; what it throws rejects the call before anything was sent. */
  readonly onRequest?: ((request: OutgoingRequest) => MaybePromise<void>) | undefined;
}

/** Shows every request to a hook before it is sent. */
export const requestHooks =
  ({ baseUrl, onRequest }: RequestHooksOptions): TransportLayer =>
  (next) => {
    if (onRequest === undefined) return next;
    return async (request) => {
      const headers = { ...request.headers } as Record<string, string>;
      await settleOrAbort(onRequest({ url: baseUrl + targetPath(request.target), headers }), request.signal);
      return next({ ...request, headers: inLowerCase(headers, request.headers) });
    };
  };

/**
 * One header per name, whatever case a hook wrote it in; two of one name would both be sent. Of two spellings the one wins
 * that the hook wrote, and of those the later one. What is set to nothing is not sent.
 */
function inLowerCase(written: Record<string, unknown>, before: WireHeaders): WireHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(written)) {
    const lower = name.toLowerCase();
    const isUntouched = name === lower && value === before[lower];
    if (isUntouched && lower in headers) continue;
    if (value === undefined || value === null) delete headers[lower];
    else headers[lower] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return headers;
}
