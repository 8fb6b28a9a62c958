import { onAbort } from "../../lib/onAbort";
import { createByteCounter } from "../protocol/progress";
import { replyTooLarge } from "../protocol/replyLimit";
import type { ReplyBody, WireRequest } from "../protocol/wire";

/** A reply that is handed out while it arrives. */
export interface StreamedReply extends Extract<ReplyBody, { kind: "stream" }> {
  readonly ended: Promise<void>;
  /** Fails it, and ends what feeds it. */
  abort(reason: unknown): void;
}

/**
 * Whether the content type of a reply means something. Stand-ins for fetch, as tests have them, reply with
 * `new Response(text)` or less: of no type or of plain text, and without the URL that replies of servers have.
 */
export function hasStatedType({ url, headers }: Response): boolean {
  const contentType = headers?.get("content-type") ?? "text/plain;charset=UTF-8";
  return Boolean(url) || contentType !== "text/plain;charset=UTF-8";
}

/**
 * The reply as a stream of its own: it follows the signal, whatever stands in for fetch, and it is known when it ends. A pipe
 * would not do: it ends its source only when the chunk it has read is taken, and what has left takes none.
 */
export function streamReply(response: Response, request: WireRequest): StreamedReply {
  const counter = counterOf(response, request);
  const reader = (response.body ?? new Blob().stream()).getReader();
  // What stands in for a fetch may refuse.
  const leave = (reason: unknown): void => void reader.cancel(reason).catch(() => {});
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      // Throws where it was ended meanwhile, which changes nothing any more.
      async pull() {
        const { done, value } = await reader.read();
        if (done) {
          counter?.finish();
          controller.close();
        } else {
          counter?.add(value.byteLength);
          controller.enqueue(value);
        }
      },
      cancel: leave,
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  );
  function abort(reason: unknown): void {
    controller.error(reason);
    leave(reason);
  }
  const { signal } = request;
  const unlink = onAbort(signal, () => abort(signal?.reason));
  const ended = reader.closed.catch(() => {}).finally(unlink);
  return { kind: "stream", stream, ended, abort };
}

/** @throws {TunnelError} (as a rejection) `INVALID_RESPONSE`: more bytes than the limit */
export async function readReplyText(response: Response, request: WireRequest, limitBytes: number): Promise<string> {
  const { signal } = request;
  const reader = response.body?.getReader();
  if (reader === undefined) return response.text();
  let receivedBytes = 0;
  const counter = counterOf(response, request);
  const decoder = new TextDecoder();
  let text = "";
  // What stands in for a fetch may not end a reply that is no longer read.
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => {});
  const stop = onAbort(signal, cancel);
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
    stop();
  }
  counter?.finish();
  return text + decoder.decode();
}

/** Reports the bytes received so far, and once at the end. */
function counterOf({ headers }: Response, { onDownloadProgress: report }: WireRequest) {
  if (report === undefined) return undefined;
  // The length is that of the compressed bytes; what arrives here was decompressed.
  const length = headers.has("content-encoding") ? undefined : headers.get("content-length");
  const totalBytes = Number(length ?? 0) || undefined;
  return createByteCounter((receivedBytes) => report({ receivedBytes, totalBytes }));
}
