import { settleOrAbort } from "../../../lib/settleOrAbort";
import type { MaybePromise } from "../../../lib/typeLevel";
import type { TransportLayer } from "../../client/carrier";
import { targetPath } from "../../protocol/paths";

/** What a hook sees of a request, and may change of it. */
export interface OutgoingRequest {
  readonly url: string;
  /** Names in lower case. Adding, replacing and deleting is honoured. */
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
      return next({ ...request, headers });
    };
  };
