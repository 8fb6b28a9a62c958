// Loaded for calls that report their progress: of what clients begin with it imports types, or bundlers would move what both share
// into a further file, with which pages would begin.
import type { WireBody, ReplyBody, Transport, WireResponse, WireTarget } from "../protocol/wire";

/** What the client has at hand. */
export interface XhrParts {
  /** Largest reply that is read into one text, decompressed, in bytes. */
  readonly maxReplyBytes: number;
  readonly urlOf: (target: WireTarget) => string;
  readonly bodyOf: (body: WireBody) => unknown;
  /** Does something when a signal aborts. @returns what takes that back */
  readonly onAbort: (signal: AbortSignal | undefined, listener: () => void) => () => void;
  readonly isStreamed: (target: WireTarget, head: Pick<Required<WireResponse>, "status" | "contentType">) => boolean;
  readonly requestIdHeader: string;
  readonly tooLarge: (maxReplyBytes: number) => Error;
  /** What is said of a redirect. */
  readonly redirected: (status: number, location: string) => string;
}

/**
 * Sends calls by XMLHttpRequest, for progress in browsers. It follows redirects, which nothing can prevent; a
 * reply from elsewhere is refused. A reply that is no JSON is a stream once all of it has arrived.
 */
export const xhrTransport =
  ({ maxReplyBytes, urlOf, bodyOf, onAbort, isStreamed, requestIdHeader, tooLarge, redirected }: XhrParts): Transport =>
  async (request) => {
    const { target, headers, signal, onProgress, onDownloadProgress } = request;
    const url = urlOf(target);
    const body = (await bodyOf(request.body)) as string | FormData;
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
        const isBlob = isStreamed(target, { status: xhr.status, contentType });
        if (isBlob && event.loaded <= maxBlobBytes) return;
        reject(tooLarge(isBlob ? maxBlobBytes : maxReplyBytes));
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
        replyOf(xhr.response as Blob, isStreamed(target, head)).then(
          (read) => resolve({ ...head, body: read }),
          reject,
        );
      };
      xhr.send(body);
    });
  };

/** Largest reply that is kept as a blob until all of it has arrived, in bytes. */
const maxBlobBytes = 1_073_741_824;

const replyOf = async (blob: Blob, isWhole: boolean): Promise<ReplyBody> =>
  isWhole
    ? { kind: "stream", stream: blob.stream() as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> }
    : { kind: "text", text: await blob.text() };
