import { settleOrAbort } from "../../lib/settleOrAbort";
import { formDataOf } from "../files/formDataBody";
import { requestIdHeader } from "../protocol/headers";
import { targetPath } from "../protocol/paths";
import { createByteCounter } from "../protocol/progress";
import { defaultReplyBytes, replyTooLarge } from "../protocol/replyLimit";
import type { Transport, WireRequest } from "../protocol/wire";

/** Where a fetch transport sends its calls. */
export interface FetchTransportConfig {
  /** Without the slash at the end. */
  readonly baseUrl: string;
  /** Default: the global `fetch`, looked up at each call. */
  readonly fetchImpl?: typeof fetch | undefined;
  /** Largest reply, decompressed, in bytes. Default 256 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

/**
 * Sends calls by fetch: JSON and forms of blobs, answered by text. Redirects are refused, or the token would follow.
 *
 * @throws {Error} there is no fetch
 */
export function fetchTransport({
  baseUrl,
  fetchImpl,
  maxReplyBytes = defaultReplyBytes,
}: FetchTransportConfig): Transport {
  if (fetchImpl === undefined && typeof globalThis.fetch !== "function") {
    throw new Error("global fetch is not available; provide fetchImpl in config");
  }
  const send = fetchImpl ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
  // What stands in for a fetch may know less than fetch: of signals, of statuses. And it may change what it is given.
  return async (request) => {
    const { target, headers, signal, onProgress } = request;
    const body = await webBodyOf(request);
    const init = { method: "POST", headers: { ...headers }, body, signal, redirect: "error" };
    const response = await settleOrAbort(send(baseUrl + targetPath(target), init as RequestInit), signal);
    if (onProgress !== undefined) {
      // fetch tells nothing of what it sends; where it has a reply, it has sent all.
      const sentBytes = sizeOf(body);
      onProgress({ sentBytes, totalBytes: sentBytes });
    }
    return {
      status: response.status ?? 200,
      statusText: response.statusText,
      contentType: response.headers?.get("content-type") ?? undefined,
      headers: { [requestIdHeader]: response.headers?.get(requestIdHeader) ?? undefined },
      body: { kind: "text", text: await settleOrAbort(readText(response, request, maxReplyBytes), signal) },
    };
  };
}

/** A body for fetch and XMLHttpRequest. */
export async function webBodyOf({ body }: WireRequest): Promise<string | FormData> {
  if (body.kind === "text") return body.read();
  if (body.kind === "form") return formDataOf(body);
  throw new TypeError(`fetch cannot send a ${body.kind} body.`);
}

/** Without the few bytes around the parts of a form, which only fetch knows. */
const sizeOf = (sent: string | FormData): number =>
  new Blob(typeof sent === "string" ? [sent] : [...sent.values()]).size;

async function readText(
  response: Response,
  { signal, onDownloadProgress: report }: WireRequest,
  limitBytes: number,
): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return response.text();
  // The length is that of the compressed bytes; what arrives here was decompressed.
  const length = response.headers.has("content-encoding") ? undefined : response.headers.get("content-length");
  const totalBytes = Number(length ?? 0) || undefined;
  let receivedBytes = 0;
  const counter = report && createByteCounter((bytes) => report({ receivedBytes: bytes, totalBytes }));
  const decoder = new TextDecoder();
  let text = "";
  // What stands in for a fetch may not know that nobody reads on.
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      receivedBytes += value.byteLength;
      if (receivedBytes > limitBytes) throw replyTooLarge(limitBytes);
      counter?.add(value.byteLength);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    cancel();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  counter?.finish();
  return text + decoder.decode();
}
