import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createByteCounter, type ByteCounter } from "../../tunnels/protocol/progress";
import type { WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { countingStream } from "./byteSources";
import { replyTooLarge } from "./carrier";
import { decodeStream } from "./contentDecoding";

/** An answer that is no envelope is only quoted in an error, so its beginning is enough. */
const previewBytes = 64 * 1024;

/**
 * Reads a reply: JSON and refusals into text, anything else of a task stays the stream it is.
 *
 * The stream is destroyed when reading it fails, and never fails the process: whoever reads it sees the error.
 */
export async function readReply(
  message: IncomingMessage,
  request: WireRequest,
  limitBytes: number,
): Promise<WireResponse> {
  const { statusCode: status = 0, statusMessage: statusText, headers } = message;
  const contentType = headers["content-type"];
  const encoding = headers["content-encoding"];
  const received = withProgress(message, request);
  const stream = encoding === undefined ? received : decodeStream(received, encoding);

  const isJson = contentType !== undefined && /^application\/json\b/i.test(contentType);
  const isOk = status >= 200 && status < 300;
  if (!isJson && isOk && request.target.kind === "task") {
    stream.on("error", () => {});
    return { status, statusText, contentType, headers, body: { kind: "stream", stream } };
  }
  const text = await readText(stream, isJson || isOk ? limitBytes : previewBytes, isJson || isOk);
  return { status, statusText, contentType, headers, body: { kind: "text", text } };
}

/** @param isWhole whether more than the limit is an error, or just not read */
function readText(stream: Readable, limitBytes: number, isWhole: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Decoded as a whole: a character may be cut by the border of two chunks.
    const finish = (): void => resolve(Buffer.concat(chunks, bytes).toString());
    // Not an async iterator, which costs more than everything else that is done about a small reply.
    stream.on("error", reject).on("end", finish);
    // After either of them this changes nothing; without them it would be a call that never ends.
    stream.on("close", () => reject(new Error("The reply was closed before it was complete.")));
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes <= limitBytes) return;
      if (isWhole) reject(replyTooLarge(limitBytes));
      else finish();
      stream.destroy();
    });
  });
}

function withProgress(message: IncomingMessage, { onDownloadProgress }: WireRequest): Readable {
  if (onDownloadProgress === undefined) return message;
  const totalBytes = Number(message.headers["content-length"]) || undefined;
  const counter: ByteCounter = createByteCounter((receivedBytes) => onDownloadProgress({ receivedBytes, totalBytes }));
  return pipeline(message, countingStream(counter.add), (error) => {
    if (!error) counter.finish();
  });
}
