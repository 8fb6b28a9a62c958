import { internalError, WireFailure } from "../../../errors/wireErrors";
import type { SerializerLike } from "../../../serializer/codec";
import { requestIdHeader } from "../../../tunnels/protocol/headers";
import type { WireHeaders, WireResponse } from "../../../tunnels/protocol/wire";
import { errorText } from "../../../tunnels/server/errorReply";
import { discardStream } from "../../../tunnels/server/streamResult";
import type { Blobs } from "../blobs";
import { codeBody, messageLimit } from "../bodies";
import { blobHeader, codingHeader, statusHeader } from "../messageHeaders";
import type { NatsLink } from "../link";

/** How long a reply waits for a broker that is away, in ms; its caller has given up by then. */
export const replyOfflineMs = 3000;

/** Where a reply goes, and under which id the server logs its request. */
export interface ReplyTarget {
  readonly address: string;
  readonly requestId: string;
  /** Id of the task or event. */
  readonly id: string;
}

/** Writes the replies of one server. */
export interface ReplyWriter {
  /** @returns once it is handed to the connection; `undefined`: it was at once */
  send(target: ReplyTarget, response: WireResponse): Promise<void> | undefined;
  refuse(target: ReplyTarget, failure: WireFailure): Promise<void> | undefined;
}

export function createReplyWriter(link: NatsLink, blobs: Blobs, serializer: SerializerLike): ReplyWriter {
  function send(target: ReplyTarget, response: WireResponse): Promise<void> | undefined {
    const { body, status } = response;
    if (body.kind === "stream") {
      discardStream(body.stream);
      return refuse(target, noStreams(target.id));
    }
    if (body.kind === "taken") return refuse(target, noStreams(target.id));
    const headers = status === 200 && response.headers === undefined ? undefined : headersOf(target, response);
    const limit = messageLimit(link.maxPayload);
    const coded = codeBody(body.text, limit);
    if (coded instanceof Promise || !link.isOnline) return sendLater(target, coded, headers);
    link.publish(target.address, coded.payload, headers && { headers: link.headersOf(headers) });
    return undefined;
  }

  async function sendLater(
    target: ReplyTarget,
    coding: ReturnType<typeof codeBody>,
    headers: WireHeaders = {},
  ): Promise<void> {
    const coded = await coding;
    if (!(await link.whenOnline(replyOfflineMs))) return;
    const own = { ...headers, [codingHeader]: coded.coding };
    const isBlob = coded.payload.length > messageLimit(link.maxPayload);
    const blob = isBlob ? { [blobHeader]: await store(target, coded.payload as Uint8Array) } : {};
    link.publish(target.address, isBlob ? "" : coded.payload, {
      headers: link.headersOf({ ...own, ...blob }),
    });
  }

  /** A caller whose reply cannot be kept is told so, since nothing else would come. */
  async function store(target: ReplyTarget, bytes: Uint8Array): Promise<string> {
    try {
      return await blobs.put(bytes);
    } catch (error) {
      await refuse(target, internalError());
      throw error;
    }
  }

  function refuse(target: ReplyTarget, failure: WireFailure): Promise<void> | undefined {
    const { status, retryAfterSeconds } = failure;
    return send(target, {
      status,
      headers: retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
      body: { kind: "text", text: errorText(failure, serializer, () => {}) },
    });
  }

  return { send, refuse };
}

const headersOf = ({ requestId }: ReplyTarget, { status, headers }: WireResponse): WireHeaders => ({
  ...headers,
  [statusHeader]: String(status),
  [requestIdHeader]: requestId,
});

/** A task replies with bytes. */
const noStreams = (id: string): WireFailure =>
  new WireFailure({
    status: 501,
    code: "STREAM_UNSUPPORTED",
    message: `${id} replies with a stream of bytes, which NATS does not carry; call it by an HTTP tunnel.`,
  });
