import { onAbort } from "../../lib/onAbort";
import { textOrForm } from "../files/formDataBody";
import { requestIdHeader } from "../protocol/headers";
import { targetPath } from "../protocol/paths";
import { redirected } from "../protocol/redirect";
import { isStreamedReply } from "../protocol/replyKind";
import { defaultReplyBytes, replyTooLarge } from "../protocol/replyLimit";
import type { ReplyBody, Transport, WireRequest, WireResponse } from "../protocol/wire";
import type { FetchCarrierConfig } from "./fetchCarrier";

/** Whether a call wants its progress and can have it: fetch reports nothing of uploads. */
export const wantsXhr = ({ onProgress, onDownloadProgress }: WireRequest): boolean =>
  (onProgress ?? onDownloadProgress) !== undefined && typeof globalThis.XMLHttpRequest === "function";

/**
 * Sends calls by XMLHttpRequest, for progress in browsers. It follows redirects, which nothing can prevent; a
 * reply from elsewhere is refused. A reply that is no JSON is a stream once all of it has arrived.
 */
export const xhrTransport =
  ({ baseUrl, maxReplyBytes = defaultReplyBytes }: Omit<FetchCarrierConfig, "fetchImpl">): Transport =>
  async (request) => {
    const { target, headers, signal, onProgress, onDownloadProgress } = request;
    const url = baseUrl + targetPath(target);
    const body = await textOrForm(request);
    signal?.throwIfAborted();

    const xhr = new XMLHttpRequest();
    xhr.open("POST", url);
    xhr.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) xhr.setRequestHeader(name, String(value));
    }
    const totalOf = ({ lengthComputable, total }: ProgressEvent): number | undefined =>
      lengthComputable ? total : undefined;
    if (onProgress !== undefined) {
      const report = (event: ProgressEvent): void =>
        onProgress({ sentBytes: event.loaded, totalBytes: totalOf(event) });
      xhr.upload.onprogress = report;
      xhr.upload.onload = report;
    }

    return new Promise<WireResponse>((resolve, reject) => {
      xhr.onloadend = onAbort(signal, () => xhr.abort());
      xhr.onprogress = (event) => {
        onDownloadProgress?.({ receivedBytes: event.loaded, totalBytes: totalOf(event) });
        if (event.loaded <= maxReplyBytes) return;
        const contentType = xhr.getResponseHeader("content-type") ?? undefined;
        // Bytes stay a blob, which browsers keep outside of the page's memory; text is read into it.
        const isBlob = isStreamedReply(target, { status: xhr.status, contentType });
        if (isBlob && event.loaded <= maxBlobBytes) return;
        reject(replyTooLarge(isBlob ? maxBlobBytes : maxReplyBytes));
        xhr.abort();
      };
      xhr.onabort = () => reject(signal?.reason as Error);
      // The words of fetch: where the reply comes from should not matter to a `catch`.
      xhr.onerror = () => reject(new TypeError("Failed to fetch"));
      xhr.onload = () => {
        const { responseURL, status, statusText } = xhr;
        if (responseURL !== new URL(url, globalThis.location?.href).href) {
          reject(new TypeError(`Failed to fetch\n${redirected(0, responseURL)}`));
          return;
        }
        const contentType = xhr.getResponseHeader("content-type") ?? undefined;
        const requestId = xhr.getResponseHeader(requestIdHeader) ?? undefined;
        const head = { status, statusText, contentType, headers: { [requestIdHeader]: requestId } };
        bodyOf(xhr.response as Blob, isStreamedReply(target, head)).then(
          (read) => resolve({ ...head, body: read }),
          reject,
        );
      };
      xhr.send(body);
    });
  };

/** Largest reply that is kept as a blob until all of it has arrived, in bytes. */
const maxBlobBytes = 1_073_741_824;

const bodyOf = async (blob: Blob, isStreamed: boolean): Promise<ReplyBody> =>
  isStreamed
    ? { kind: "stream", stream: blob.stream() as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> }
    : { kind: "text", text: await blob.text() };
