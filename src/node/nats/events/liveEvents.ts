import type { Msg } from "@nats-io/transport-node";
import type { NatsLink } from "../link";
import type { Hearing } from "./eventConsumer";

export interface LiveEventsParts {
  readonly link: NatsLink;
  readonly subject: string;
  /** The processes that share what comes; `undefined`: each gets all of it. */
  readonly queue: string | undefined;
  /** Runs the hooks; resolves to what they failed with. Never rejects. */
  readonly hear: (message: Msg) => Promise<Hearing | undefined>;
  readonly onFailed: (error: unknown) => void;
}

export interface LiveEvents {
  /** Takes no further events. Resolves when the hooks are done. */
  close(): Promise<void>;
}

/** Runs the hooks of an event for what is published while this process listens: once, whatever becomes of it. */
export function followLive({ link, subject, queue, hear, onFailed }: LiveEventsParts): LiveEvents {
  const hearing = new Set<Promise<unknown>>();
  const receive = (message: Msg): void => {
    const work = hear(message).then((failure) => failure && onFailed(new Error(`${subject}: ${failure.message}`)));
    hearing.add(work);
    void work.finally(() => hearing.delete(work));
  };
  const subscription = link.subscribe(subject, { queue }, receive, onFailed);
  return {
    async close() {
      if (!subscription.isClosed()) await subscription.drain();
      await Promise.allSettled(hearing);
    },
  };
}
