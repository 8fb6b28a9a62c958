import { settleOrAbort } from "../../lib/settleOrAbort";
import type { SerializerLike } from "../../serializer/codec";
import type { Envelope } from "../protocol/envelope";
import { replayedHeader } from "../protocol/headers";
import type { ByteStream, OpenedForm, WireResponse } from "../protocol/wire";
import type { OpenedStream } from "./openStream";
import type { StreamResult } from "./streamResult";

/** A task has replied by itself. */
export const taken: WireResponse = { status: 200, body: { kind: "taken" } };

/** A reply of one envelope. */
export const textReply = (envelope: Envelope, serializer: SerializerLike): WireResponse => ({
  status: 200,
  body: { kind: "text", text: serializer.stringify(envelope) },
});

/** A reply of bytes. */
export function streamReply(
  { status, contentType, headers, flushHeaders }: StreamResult,
  stream: ByteStream,
): WireResponse {
  return { status, contentType, headers, body: { kind: "stream", stream, flushHeaders } };
}

/** A reply that was given before. */
export const replayed = (response: WireResponse): WireResponse => ({
  ...response,
  headers: { ...response.headers, [replayedHeader]: "1" },
});

/**
 * Waits for the first piece of a stream, so that one which fails before it still becomes a failure: a reply that
 * breaks off looks like a lost connection, and is tried again.
 */
export async function started(stream: OpenedStream, signal: AbortSignal | undefined, form?: OpenedForm): Promise<void> {
  const starting = stream.start();
  try {
    // It may be made of files that are still arriving.
    const unbroken = form === undefined ? starting : Promise.race([starting, form.finished.then(() => starting)]);
    await settleOrAbort(unbroken, signal);
  } catch (error) {
    starting.catch(() => {});
    stream.destroy();
    throw form?.failure ?? error;
  }
}
