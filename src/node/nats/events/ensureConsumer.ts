import type { ConsumerConfig } from "@nats-io/jetstream";
import { loadNats } from "../loadNats";
import { consumerName, escapeId, eventStream, subjectPrefix } from "../subjects";
import type { ResolvedEventsConfig } from "./natsEventsConfig";
import { isMissing, mismatch, type Streams } from "./streams";

/** Whose consumer of which event. */
export interface ConsumerParts {
  readonly config: ResolvedEventsConfig;
  readonly eventId: string;
  readonly streams: Streams;
}

/**
 * The durable consumer by which a service reads an event: made where it is missing, compared with what is needed, never altered.
 *
 * @returns how long the broker waits for an acknowledgement, in ms
 * @throws {TunnelError} (as a rejection) `STREAM_MISMATCH`
 */
export async function ensureConsumer({ config, eventId, streams }: ConsumerParts): Promise<number> {
  const { namespace, service, ackWaitMs, maxInFlight } = config;
  const { AckPolicy } = await loadNats("@nats-io/jetstream");
  await streams.ensureEvents();
  const { consumers } = await streams.manager();
  const stream = eventStream(namespace);
  const name = consumerName(service, eventId);
  const subject = subjectPrefix(namespace, "event") + escapeId(eventId);
  const find = async () => {
    try {
      return await consumers.info(stream, name);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  const known =
    (await find()) ??
    (await consumers.add(stream, {
      durable_name: name,
      filter_subject: subject,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWaitMs * 1_000_000,
      // Counted here, since the broker puts what it stops to deliver nowhere.
      max_deliver: -1,
      max_ack_pending: maxInFlight,
    }));
  assertFits(known.config, name, { subject, config });
  return (known.config.ack_wait ?? ackWaitMs * 1_000_000) / 1_000_000;
}

function assertFits(
  known: ConsumerConfig,
  name: string,
  { subject, config }: { readonly subject: string; readonly config: ResolvedEventsConfig },
): void {
  const { filter_subject: filter, ack_policy: policy, deliver_subject: pushedTo } = known;
  const { max_deliver: deliveries = -1, max_ack_pending: pending = 0 } = known;
  if (filter !== subject) throw mismatch(name, `it has to read ${subject}, and reads ${String(filter)}`);
  if (pushedTo !== undefined) throw mismatch(name, `it has to be pulled, and pushes to ${pushedTo}`);
  if (policy !== "explicit") throw mismatch(name, `its acknowledgements have to be explicit, not "${policy}"`);
  // What the broker stops to deliver is put nowhere.
  if (deliveries > 0 && deliveries <= config.maxDeliver) {
    throw mismatch(name, `it delivers ${deliveries} times at most, which has to be more than maxDeliver, or -1`);
  }
  // The order of several processes is that of the broker.
  if (config.maxInFlight === 1 && pending !== 1) {
    throw mismatch(name, `maxInFlight is 1 here, and it has ${pending} messages under way (max_ack_pending)`);
  }
}
