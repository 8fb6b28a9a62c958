import { settleOrAbort } from "../../lib/settleOrAbort";
import { longestTimerMs } from "../../lib/timers";
import type { MaybePromise } from "../../lib/typeLevel";
import { underOwnSignal } from "../client/ownSignal";
import { targetPath } from "../protocol/paths";
import type { Transport, WireRequest, WireResponse } from "../protocol/wire";

/** What a hook sees of a request, and may change of it. */
export interface OutgoingRequest {
  readonly url: string;
  /** Names in lower case. Adding, replacing and deleting is honoured. */
  readonly headers: Record<string, string>;
}

/** What every HTTP client does around its transport. */
export interface HttpOptions {
  readonly baseUrl: string;
  /** Last word on the headers; what it throws rejects the call before anything was sent. */
  readonly onRequest?: ((request: OutgoingRequest) => MaybePromise<void>) | undefined;
  /** From `onRequest` to the end of the reply, or to the start of a streamed one. 0, absent, or past 24 days: no limit. */
  readonly timeoutMs?: number | undefined;
  /** What a call that takes too long is rejected with. Default: the `AbortError` of fetch. */
  readonly timeoutError?: ((url: string, timeoutMs: number) => Error) | undefined;
}

/**
 * Cuts the slash at the end of a base URL.
 *
 * @param owner names the function in the error
 * @throws {Error} there is no base URL
 */
export function readBaseUrl(config: { readonly baseUrl?: string | undefined } | undefined, owner: string): string {
  const baseUrl = config?.baseUrl;
  if (!baseUrl) throw new Error(`${owner} requires baseUrl`);
  return baseUrl.endsWith("/") ? baseUrl.slice(0, -1) : baseUrl;
}

/** Adds hook and deadline to a transport; without either, it is the transport itself. */
export function withHttpOptions(carry: Transport, options: HttpOptions): Transport {
  const { baseUrl, onRequest, timeoutMs = 0, timeoutError } = options;
  const urlOf = ({ target }: WireRequest): string => baseUrl + targetPath(target);

  async function hooked(request: WireRequest): Promise<WireResponse> {
    const headers = { ...request.headers } as Record<string, string>;
    await settleOrAbort(onRequest?.({ url: urlOf(request), headers }), request.signal);
    return carry({ ...request, headers });
  }
  const send = onRequest === undefined ? carry : hooked;
  if (!(timeoutMs > 0 && timeoutMs <= longestTimerMs)) return send;

  return (request) =>
    underOwnSignal(request, async (limited, abort) => {
      const timer = setTimeout(() => abort(timeoutError?.(urlOf(request), timeoutMs)), timeoutMs);
      try {
        return await send(limited);
      } finally {
        clearTimeout(timer);
      }
    });
}
