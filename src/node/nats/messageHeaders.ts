import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import { payloadTooLarge } from "../../errors/wireErrors";
import type { WireHeaders } from "../../tunnels/protocol/wire";

/** The status of a reply that is no success; replies without it have 200. */
export const statusHeader = "x-runner-status";
/**
 * What a message about a call is that is no reply to it: `accepted`, or `beat`; of a reply of items `items`, its head, `chunk`, some of
 * its bytes, `end`, and `cut`, where it breaks off.
 */
export const frameHeader = "x-runner-frame";
/** Counts the chunks of a reply of items, and its end, from 1. */
export const frameNumberHeader = "x-runner-frame-number";
/** The worker that has taken a call, which cancellations are addressed to. */
export const workerHeader = "x-runner-worker";
/** How a body is coded: `gzip`. */
export const codingHeader = "content-encoding";
/** Under which name of the bucket of the namespace a body is kept that is too large for a message. */
export const blobHeader = "x-runner-blob";
/** When a call was sent, by the clock of its caller, in ms since 1970: goes along with a deadline. */
export const sentAtHeader = "x-runner-sent-at";

/** Which message is a second one of the same event, for the broker to drop. */
export const messageIdHeader = "Nats-Msg-Id";
/** The one service that an event is for, which has failed with it before. */
export const onlyHeader = "x-runner-only-service";
/** Of events that are put aside: for which service, what failed, how often, and which message of the stream it was. */
export const deadHeaders = {
  service: "x-runner-dead-service",
  code: "x-runner-dead-code",
  message: "x-runner-dead-message",
  deliveries: "x-runner-dead-deliveries",
  sequence: "x-runner-dead-sequence",
} as const;

/** Longest head that is read, in characters, as HTTP servers limit it. */
const maxHeadChars = 16_384;

/** Names in lower case; one that is there more than once is a list. */
export type MessageHeaders = Record<string, string | string[]>;

/**
 * The headers of a message.
 *
 * @throws {WireFailure} 413, there are too many
 */
export function readHeaders(headers: MsgHdrs | undefined): MessageHeaders {
  const read: MessageHeaders = {};
  if (headers === undefined) return read;
  let chars = 0;
  for (const [name, values] of headers) {
    const lower = name.toLowerCase();
    // No header has this name, and a record takes it for something else.
    if (lower === "__proto__") continue;
    for (const value of values) {
      chars += name.length + value.length;
      if (chars > maxHeadChars) throw payloadTooLarge("Headers too large");
      const known = read[lower];
      read[lower] = known === undefined ? value : [...[known].flat(), value];
    }
  }
  return read;
}

/** The first value of a header. */
export const headerOf = (headers: WireHeaders, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
};

/** Whether a message says that nothing listens to its subject. */
export const isNoResponder = (message: Msg): boolean => message.data.length === 0 && message.headers?.code === 503;
