import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createByteCounter, type ByteCounter } from "../../tunnels/protocol/progress";
import { isStreamedReply } from "../../tunnels/protocol/replyKind";
import type { WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { countingStream } from "./byteSources";
import { decodeStream } from "./contentDecoding";
import { ReplyText } from "./replyText";

/**
 * Reads a reply: JSON and refusals into text, anything else of a task stays the stream it is.
 *
 * The stream is destroyed when reading it fails, and never fails the process: its reader gets the error.
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

  if (isStreamedReply(request.target, { status, contentType })) {
    const isEmpty = status === 204 || headers["content-length"] === "0";
    const stream = encoding === undefined || isEmpty ? received : decodeStream(received, encoding);
    stream.on("error", () => {});
    return { status, statusText, contentType, headers, body: { kind: "stream", stream } };
  }
  const text = await readText(received, new ReplyText({ status, contentType, encoding, limitBytes }));
  return { status, statusText, contentType, headers, body: { kind: "text", text } };
}

function readText(stream: Readable, text: ReplyText): Promise<string> {
  return new Promise((resolve, reject) => {
    const finish = (): void => resolve(text.end());
    // Not an async iterator, which costs more than everything else that is done about a small reply.
    stream.on("error", reject).on("end", finish);
    // After either of them this changes nothing; without them it would be a call that never ends.
    stream.on("close", () => reject(new Error("The reply was closed before it was complete.")));
    stream.on("data", (chunk: Buffer) => {
      try {
        if (text.add(chunk)) return;
        finish();
      } catch (error) {
        reject(error);
      }
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
