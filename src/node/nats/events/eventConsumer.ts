import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { loadNats } from "../loadNats";
import type { NatsLink } from "../link";
import { onlyHeader } from "../messageHeaders";
import { Bag, type BagMember } from "../bag";
import { consumerName, eventStream } from "../subjects";
import type { Death } from "./deadLetters";
import { Lanes } from "./lanes";
import type { ResolvedEventsConfig } from "./natsEventsConfig";
import { ensureConsumer } from "./ensureConsumer";
import type { Streams } from "./streams";

/** How hearing an event ended: well, or with what. */
export interface Hearing {
  readonly code: string;
  readonly message: string;
  /** Whether another try can end otherwise. */
  readonly isFinal: boolean;
}

export interface EventConsumerParts {
  readonly link: NatsLink;
  readonly config: ResolvedEventsConfig;
  readonly eventId: string;
  readonly streams: Streams;
  /** Runs the hooks; resolves to what they failed with. Never rejects. */
  readonly hear: (message: Msg) => Promise<Hearing | undefined>;
  /** What the payload is in order by. */
  readonly keyOf: ((message: Msg) => string | undefined) | undefined;
  readonly giveUp: (message: Msg, death: Death) => Promise<void>;
  readonly onFailed: (error: unknown) => void;
}

export interface EventConsumer {
  /** Takes no further events; those that have not begun go to another process at once. Resolves when the hooks are done. */
  close(graceMs: number): Promise<void>;
}

/** A message that is not acknowledged. */
interface OpenMessage extends BagMember {
  /** As it was delivered last. */
  message: JsMsg;
}

/** Runs the hooks of one event for one service, out of the stream: it is acknowledged once all are done. */
export async function consumeEvents(parts: EventConsumerParts): Promise<EventConsumer> {
  const { link, config, eventId, hear, keyOf, giveUp, onFailed } = parts;
  const { namespace, service, maxDeliver, backoffMs, maxInFlight } = config;
  const ackWaitMs = await ensureConsumer(parts);
  const { jetstream } = await loadNats("@nats-io/jetstream");
  const consumer = await jetstream(link.connection).consumers.get(
    eventStream(namespace),
    consumerName(service, eventId),
  );
  const lanes = new Lanes(maxInFlight);
  const open = new Bag<OpenMessage>();
  let isClosing = false;
  let wake: (() => void) | undefined;
  const closing = new Promise<void>((resolve) => (wake = resolve));
  // The broker is told of whatever is not done yet, so that it hands it to no other process meanwhile.
  const progress = setInterval(() => {
    if (link.isOnline) for (const { message } of open) message.working();
  }, ackWaitMs / 2);

  function receive(message: JsMsg): void {
    if (isClosing) return message.nak();
    if (message.redelivered && takesOver(message)) return;
    const only = message.headers?.get(onlyHeader);
    if (only !== undefined && only !== "" && only !== service) return message.ack();
    const opened: OpenMessage = { message, place: -1 };
    open.add(opened);
    let key: string | undefined;
    try {
      key = keyOf?.(message as unknown as Msg);
    } catch (error) {
      // It is heard, so that its hooks fail over what is wrong with it.
      onFailed(error);
    }
    lanes.add(key, () => handle(opened, key !== undefined));
  }

  /**
   * The broker delivers a message again for which it got no sign of progress in time, although its hooks still run here. The new
   * delivery takes the place of the old one: handled by itself it would be acknowledged at once, as an emission that this run has
   * received already, and would be lost if the hooks fail after that.
   *
   * @returns whether its hooks run here
   */
  function takesOver(message: JsMsg): boolean {
    for (const opened of open) {
      if (opened.message.seq !== message.seq) continue;
      opened.message = message;
      message.working();
      return true;
    }
    return false;
  }

  /** @param staysHere retries wait here, since what follows of the same key waits behind them */
  async function handle(opened: OpenMessage, staysHere: boolean): Promise<void> {
    try {
      if (isClosing) return opened.message.nak();
      for (let delivery = opened.message.info.deliveryCount; ; delivery++) {
        // One that ends its process is never answered.
        const failure =
          delivery > maxDeliver
            ? { code: "WORKER_LOST", message: "No process was left that had heard it.", isFinal: true }
            : await hear(opened.message as unknown as Msg);
        if (failure === undefined) return opened.message.ack();
        if (failure.isFinal || delivery >= maxDeliver) {
          await bury(opened.message, failure, Math.min(delivery, maxDeliver));
          return;
        }
        const delayMs = backoffMs[Math.min(delivery, backoffMs.length) - 1] ?? 0;
        if (!staysHere) return opened.message.nak(delayMs);
        await waitFor(delayMs);
        if (isClosing) return opened.message.nak();
      }
    } catch (error) {
      onFailed(error);
      opened.message.nak(backoffMs.at(-1));
    } finally {
      open.delete(opened);
    }
  }

  async function bury(message: JsMsg, { code, message: text }: Hearing, deliveries: number): Promise<void> {
    const death = { service, eventId, code, message: text, deliveries, sequence: message.seq };
    await giveUp(message as unknown as Msg, death);
    message.term();
  }

  const waitFor = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      void closing.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });

  const messages: ConsumerMessages = await consumer.consume({
    max_messages: maxInFlight,
    callback(message) {
      try {
        receive(message);
      } catch (error) {
        onFailed(error);
      }
    },
  });
  return {
    async close(graceMs) {
      isClosing = true;
      wake?.();
      messages.stop();
      lanes.clear();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
      await Promise.race([lanes.whenIdle(), late]);
      clearTimeout(timer);
      clearInterval(progress);
      for (const { message } of open) message.nak();
    },
  };
}
