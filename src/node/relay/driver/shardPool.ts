import { setTimeout as delay } from "node:timers/promises";
import { CloseCode } from "../../../relay/codes";
import type { HelloOk } from "../../../relay/controlMessages";
import type { MuxSession } from "../../../relay/muxSession";
import { Backoff } from "./backoff";
import { greet, type RelayAddress } from "./greet";

export interface ShardPoolOptions {
  readonly address: RelayAddress;
  /** The relay's answer to the primary link. */
  readonly hello: HelloOk;
  readonly mux: MuxSession;
  /** Links besides the primary one. */
  readonly count: number;
  /** Aborted once the primary link is lost. */
  readonly signal: AbortSignal;
}

/** Keeps the secondary links of a session: one that is lost is dialled again, while the session goes on without it. */
export function keepShards({ count, ...options }: ShardPoolOptions): void {
  for (let index = 1; index <= count; index++) void keepShard(index, options);
}

async function keepShard(index: number, options: Omit<ShardPoolOptions, "count">): Promise<void> {
  const { signal } = options;
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      const { lost } = await join(index, options);
      backoff.reset();
      await lost;
    } catch {
      // The next attempt may succeed: the relay may not have noticed yet that the link before is gone.
    }
    await delay(backoff.next(), undefined, { signal, ref: false }).catch(() => {});
  }
}

/** Resolves once the link is part of the session. @returns what resolves when it is gone; in a record, so that it is not awaited */
async function join(
  index: number,
  { address, hello, mux, signal }: Omit<ShardPoolOptions, "count">,
): Promise<{ readonly lost: Promise<void> }> {
  let onLost: () => void = () => {};
  const lost = new Promise<void>((resolve) => (onLost = resolve));
  await greet({
    address,
    hello: () => ({ t: "HELLO", shard: { sessionId: hello.sessionId, token: hello.shardToken, index } }),
    handler: { onControl() {} },
    onGreeted(_ok, own, link) {
      // Without its primary link the session takes no other one.
      if (mux.links.length === 0) own.close(CloseCode.GOING_AWAY);
      else mux.adopt(link);
    },
    onLost(_own, link) {
      mux.linkLost(link);
      onLost();
    },
    signal,
  });
  return { lost };
}
