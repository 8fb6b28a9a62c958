import type { Msg } from "@nats-io/transport-node";
import { payloadTooLarge, unsupportedEncoding, WireFailure } from "../../../errors/wireErrors";
import type { TextBody, WireHeaders } from "../../../tunnels/protocol/wire";
import { gzipCoding } from "../../contentCodings";
import type { Blobs } from "../blobs";
import { blobHeader, codingHeader, headerOf } from "../messageHeaders";

/** The body of a message, of which nothing is decoded before its caller is known. */
export function incomingBody(message: Msg, headers: WireHeaders, blobs: Blobs): TextBody {
  const coding = headerOf(headers, codingHeader);
  const blob = headerOf(headers, blobHeader);
  return {
    kind: "text",
    read(limitBytes = Infinity) {
      if (coding !== undefined || blob !== undefined) return readCoded(message, { coding, blob, blobs, limitBytes });
      if (message.data.length > limitBytes) throw payloadTooLarge();
      return message.string();
    },
  };
}

async function readCoded(
  message: Msg,
  {
    coding,
    blob,
    blobs,
    limitBytes,
  }: {
    readonly coding: string | undefined;
    readonly blob: string | undefined;
    readonly blobs: Blobs;
    readonly limitBytes: number;
  },
): Promise<string> {
  const bytes = blob === undefined ? message.data : await blobs.get(blob, limitBytes);
  if (coding === undefined) {
    if (bytes.byteLength > limitBytes) throw payloadTooLarge();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }
  if (coding !== gzipCoding.name) throw unsupportedEncoding();
  try {
    return (await gzipCoding.decode(bytes, { maxOutputLength: limitBytes })).toString();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw payloadTooLarge();
    throw new WireFailure({ status: 400, code: "INVALID_JSON", message: "The body is no gzip" }, error);
  }
}
