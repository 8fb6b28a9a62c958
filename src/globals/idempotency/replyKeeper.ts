import type { ITask } from "../../define/task";
import { onAbort } from "../../lib/onAbort";
import { longestTimerMs } from "../../lib/timers";
import type { Logger } from "../../runtime/logger";
import type { IdempotencyStore } from "../../tunnels/routing/idempotencyStore";
import { renewalsPerLease } from "./heldKey";

/** Most characters of replies that wait for a store that did not take them. */
const mostUnkept = 16_777_216;

/** A reply on its way into a store. */
export interface Keeping {
  /** Settles when the store has the reply; never rejects. Later calls of this process join until then. */
  readonly kept?: Promise<void> | undefined;
}

/** A reply, and the key that it belongs to. */
export interface KeyedReply {
  readonly store: IdempotencyStore;
  readonly key: string;
  readonly text: string;
  readonly task: ITask;
  readonly times: { readonly ttlMs: number; readonly leaseMs: number };
}

export interface ReplyKeeper {
  /**
   * Has the store keep a reply. Where the store does not answer, the caller gets its reply all the same, and the store is asked
   * again for as long as it may hold the key.
   *
   * @returns "lost" where another holder has the key
   */
  keep(reply: KeyedReply): Promise<Keeping | "lost">;
  /** Forgets a call that counts as not made. */
  forget(store: IdempotencyStore, key: string, task: ITask): Promise<void>;
}

/** @param ending aborts when the run is being disposed of */
export function createReplyKeeper(logger: Pick<Logger, "error">, ending: AbortSignal): ReplyKeeper {
  let unkept = 0;

  async function keepLater({ store, key, text, times }: KeyedReply): Promise<void> {
    const givenUpAt = performance.now() + times.ttlMs;
    unkept += text.length;
    try {
      while (performance.now() < givenUpAt) {
        await waitFor(times.leaseMs / renewalsPerLease, ending);
        try {
          await store.finish(key, text);
          return;
        } catch {
          // It is asked again.
        }
      }
    } catch {
      // The run is being disposed of.
    } finally {
      unkept -= text.length;
    }
  }

  return {
    async keep(reply) {
      const { store, key, text, task } = reply;
      try {
        return (await store.finish(key, text)) === false ? "lost" : {};
      } catch (error) {
        void logger.error("idempotency.notRemembered", { error, data: { id: task.id } });
        return unkept + text.length > mostUnkept ? {} : { kept: keepLater(reply) };
      }
    },
    async forget(store, key, { id }) {
      try {
        await store.abandon(key);
      } catch (error) {
        // Its lease ends it.
        void logger.error("idempotency.notForgotten", { error, data: { id } });
      }
    },
  };
}

/** @throws what aborts the signal */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        stop();
        resolve();
      },
      Math.min(ms, longestTimerMs),
    );
    const stop = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
