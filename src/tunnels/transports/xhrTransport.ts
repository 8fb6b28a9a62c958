import { requestIdHeader } from "../protocol/headers";
import { targetPath } from "../protocol/paths";
import type { Transport, WireRequest, WireResponse } from "../protocol/wire";
import { defaultReplyBytes, replyTooLarge } from "../protocol/replyLimit";
import { webBodyOf, type FetchTransportConfig } from "./fetchTransport";

/** Whether a call wants to know its progress and can: fetch tells nothing of uploads. */
export const wantsXhr = ({ onProgress, onDownloadProgress }: WireRequest): boolean =>
  (onProgress ?? onDownloadProgress) !== undefined && typeof globalThis.XMLHttpRequest === "function";

/**
 * Sends calls by XMLHttpRequest, for progress in browsers. It follows redirects, which nothing can prevent; a
 * reply from elsewhere is refused.
 */
export const xhrTransport =
  ({ baseUrl, maxReplyBytes = defaultReplyBytes }: Omit<FetchTransportConfig, "fetchImpl">): Transport =>
  async (request) => {
    const { target, headers, signal, onProgress, onDownloadProgress } = request;
    const url = baseUrl + targetPath(target);
    const body = await webBodyOf(request);
    signal?.throwIfAborted();

    const xhr = new XMLHttpRequest();
    xhr.open("POST", url);
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
      const abort = (): void => xhr.abort();
      signal?.addEventListener("abort", abort, { once: true });
      xhr.onloadend = () => signal?.removeEventListener("abort", abort);
      xhr.onprogress = (event) => {
        onDownloadProgress?.({ receivedBytes: event.loaded, totalBytes: totalOf(event) });
        if (event.loaded <= maxReplyBytes) return;
        reject(replyTooLarge(maxReplyBytes));
        xhr.abort();
      };
      xhr.onabort = () => reject(signal?.reason as Error);
      // The words of fetch: where the reply comes from should not matter to a `catch`.
      xhr.onerror = () => reject(new TypeError("Failed to fetch"));
      xhr.onload = () => {
        if (xhr.responseURL !== new URL(url, globalThis.location?.href).href)
          return reject(new TypeError("Failed to fetch"));
        const contentType = xhr.getResponseHeader("content-type") ?? undefined;
        resolve({
          status: xhr.status,
          statusText: xhr.statusText,
          contentType,
          headers: { [requestIdHeader]: xhr.getResponseHeader(requestIdHeader) ?? undefined },
          body: { kind: "text", text: xhr.responseText },
        });
      };
      xhr.send(body);
    });
  };
