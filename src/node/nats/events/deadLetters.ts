import type { Msg } from "@nats-io/transport-node";
import { deadHeaders, messageIdHeader } from "../messageHeaders";
import type { NatsLink } from "../link";
import { loadNats } from "../loadNats";
import { escapeId, subjectPrefix } from "../subjects";
import type { Streams } from "./streams";

/** Why an event is given up. */
export interface Death {
  readonly service: string;
  readonly eventId: string;
  readonly code: string;
  readonly message: string;
  readonly deliveries: number;
  /** Of the message in the stream of events. */
  readonly sequence: number;
}

/** Longest message of an error that is kept, in characters. */
const maxMessageChars = 500;

/** Puts events that were given up aside, for an operator to look at. Resolves once the broker has them. */
export function createDeadLetters(link: NatsLink, namespace: string, streams: Streams) {
  return async (message: Msg, death: Death): Promise<void> => {
    const { jetstream } = await loadNats("@nats-io/jetstream");
    await streams.ensureDead();
    const headers = link.headersOf({});
    for (const [name, values] of message.headers ?? []) {
      if (name !== messageIdHeader) for (const value of values) headers.append(name, value);
    }
    headers.set(deadHeaders.service, death.service);
    headers.set(deadHeaders.code, death.code);
    headers.set(deadHeaders.message, oneLine(death.message));
    headers.set(deadHeaders.deliveries, String(death.deliveries));
    headers.set(deadHeaders.sequence, String(death.sequence));
    const subject = `${subjectPrefix(namespace, "dead")}${death.service}.${escapeId(death.eventId)}`;
    // A second time, as after an acknowledgement that was lost, it is dropped.
    const msgID = `${death.service}:${death.eventId}:${death.sequence}`;
    await jetstream(link.connection).publish(subject, message.data, { headers, msgID });
  };
}

/** Headers are lines. */
const oneLine = (text: string): string => text.replace(/\s+/g, " ").slice(0, maxMessageChars);
