import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import { clientClosed, type Abilities, type Carrier } from "../client/carrier";
import { heartbeatHeader, requestIdHeader, retryAfterHeader } from "../protocol/headers";
import { targetPath } from "../protocol/paths";
import { isRedirect, redirected } from "../protocol/redirect";
import { isStreamedReply } from "../protocol/replyKind";
import { defaultReplyBytes } from "../protocol/replyLimit";
import type { Transport, WireBody } from "../protocol/wire";
import { hasStatedType, readReplyText, streamReply, type StreamedReply } from "./fetchReply";

/** Where a fetch sends its calls. */
export interface FetchCarrierConfig {
  /** Without the slash at the end. */
  readonly baseUrl: string;
  /** Default: the global `fetch`, looked up at each call. */
  readonly fetchImpl?: typeof fetch | undefined;
  /** Largest reply that is read into one text, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

/**
 * Sends calls by fetch: JSON, forms of blobs, and items. A reply that is no JSON is a web `ReadableStream`. Redirects are
 * refused, or the token would follow.
 *
 * @throws {Error} there is no fetch
 */
export function fetchCarrier(config: FetchCarrierConfig, accepts: Abilities): Carrier {
  const { baseUrl, fetchImpl, maxReplyBytes = defaultReplyBytes } = config;
  if (fetchImpl === undefined && typeof globalThis.fetch !== "function") {
    throw new Error("global fetch is not available; provide fetchImpl in config");
  }
  const call = fetchImpl ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
  const open = new Set<StreamedReply>();

  // What stands in for a fetch may know less than fetch: of signals, of statuses. And it may change what it is given.
  const send: Transport = async (request) => {
    const { target, headers, signal, onProgress } = request;
    const isItems = request.body.kind === "items";
    const body = await webBody(request.body);
    // Not "error": Cloudflare knows only the other two.
    const init = {
      method: "POST",
      headers: { ...headers },
      body,
      signal,
      redirect: "manual",
      ...(isItems && { duplex: "half" }),
    };
    const response = await settleOrAbort(call(baseUrl + targetPath(target), init as RequestInit), signal);
    const { status = 200, statusText } = response;
    const isOpaque = response.type === "opaqueredirect";
    if (isOpaque || isRedirect(status)) {
      void response.body?.cancel();
      // Browsers and servers differ in the words for it.
      const words = isOpaque ? "Failed to fetch" : "fetch failed";
      throw new TypeError(`${words}\n${redirected(status, response.headers?.get("location"))}`);
    }
    if (onProgress !== undefined && !isItems) {
      // fetch reports nothing of what it sends; where it has a reply, it has sent all.
      const sentBytes = sizeOf(body as Exclude<typeof body, ReadableStream>);
      onProgress({ sentBytes, totalBytes: sentBytes });
    }
    const isTyped = hasStatedType(response);
    const head = {
      status,
      statusText,
      contentType: isTyped ? (response.headers?.get("content-type") ?? undefined) : undefined,
      headers: Object.fromEntries(
        [requestIdHeader, heartbeatHeader, retryAfterHeader].map((name) => [
          name,
          response.headers?.get(name) ?? undefined,
        ]),
      ),
    };
    if (isTyped && isStreamedReply(target, head)) {
      const reply = streamReply(response, request);
      open.add(reply);
      void reply.ended.then(() => open.delete(reply));
      return { ...head, body: reply };
    }
    const text = await settleOrAbort(readReplyText(response, request, maxReplyBytes), signal);
    return { ...head, body: { kind: "text", text } };
  };

  return {
    accepts,
    send,
    async close({ signal } = {}) {
      const ended = Promise.all([...open].map((reply) => reply.ended));
      await Promise.resolve(settleOrAbort(ended, signal)).catch(() => {
        for (const reply of open) reply.abort(clientClosed());
      });
    },
  };
}

/** The body of a request, as fetch and XMLHttpRequest take it. */
export function webBody(body: WireBody): MaybePromise<string | FormData | ReadableStream<Uint8Array>> {
  if (body.kind === "text") return body.read();
  const written = "toWeb" in body ? body.toWeb?.() : undefined;
  if (written !== undefined) return written;
  throw new TypeError(`fetch cannot send a ${body.kind} body.`);
}

/** Without the few bytes around the parts of a form, which only fetch knows. */
const sizeOf = (sent: string | FormData): number =>
  new Blob(typeof sent === "string" ? [sent] : [...sent.values()]).size;
