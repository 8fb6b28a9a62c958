import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { abortedCallsMs, type Drain, type DrainTimes } from "../../lib/drain";
import { settlesWithin } from "../../lib/timers";
import type { OwnServer } from "./ownServer";

/** The servers of one handler. */
export interface DrainedServers {
  readonly own: OwnServer | undefined;
  /** Whether servers that are not closed here have brought requests. */
  readonly isMounted: boolean;
  /** Cuts what those servers still wait for. */
  cutMounted(): void;
}

/**
 * Ends servers: each reply says that its connection ends, requests on their way are served for
 * `quietMs`, calls in flight may end for `graceMs`, then their signals abort, and a second later they are cut.
 */
export async function drainServers(drain: Drain, times: DrainTimes, servers: DrainedServers): Promise<void> {
  const { own, isMounted } = servers;
  const { delayMs, graceMs } = times;
  const quietMs = Math.min(times.quietMs, graceMs);
  const closed = own?.closed ?? Promise.resolve();
  drain.announce();
  if (delayMs > 0) {
    await sleep(delayMs);
    await acceptWaiting();
  }

  const endsAt = performance.now() + graceMs;
  const leftMs = (): number => Math.max(0, endsAt - performance.now());
  drain.endConnections();
  own?.stopAccepting(quietMs);
  await Promise.all([settlesWithin(closed, quietMs), isMounted && sleep(quietMs)]);
  // What has arrived by now is read first.
  await nextTurn();
  drain.stopAdmitting();
  if (own !== undefined) {
    await untilSilent(drain, { quietMs, closed, leftMs });
    own.closeIdle();
  }

  if (!(await settlesWithin(drain.whenIdle(), leftMs()))) {
    drain.abort();
    if (!(await settlesWithin(drain.whenIdle(), abortedCallsMs))) servers.cutMounted();
  }
  if (own !== undefined) await settlesWithin(own.whenFlushed(), leftMs());
  if (own !== undefined && !(await settlesWithin(closed, Math.min(quietMs, leftMs())))) own.cut();
  await closed;
  drain.close();
}

/** Within a turn as short as this hardly a connection comes between what the turn accepted and its end, in ms. */
const shortTurnMs = 0.25;
/** A process that is always busy has no short turns, in ms. */
const mostWaitMs = 100;

/**
 * Connections that wait to be accepted when a server stops listening are reset, although their callers take them for
 * open. A turn of the event loop accepts those that have come, and then serves what has arrived over the others: only
 * once that takes no time, the end of the turn is a moment in which none waits.
 */
export async function acceptWaiting(): Promise<void> {
  const giveUpAtMs = performance.now() + mostWaitMs;
  await nextTurn();
  for (let beganMs = performance.now(); ;) {
    await nextTurn();
    const nowMs = performance.now();
    if (nowMs - beganMs < shortTurnMs || nowMs > giveUpAtMs) return;
    beganMs = nowMs;
  }
}

/**
 * Resolves once no request has arrived for a while. A caller with a pool of connections goes on to the next one when one
 * ends, so that until then any of them may be about to bring a request: that is refused, whereas closing would reset it.
 */
async function untilSilent(
  drain: Drain,
  { quietMs, closed, leftMs }: { quietMs: number; closed: Promise<void>; leftMs: () => number },
): Promise<void> {
  for (;;) {
    const waitMs = Math.min(drain.lastEnteredAtMs + quietMs - performance.now(), leftMs());
    if (waitMs <= 0 || (await settlesWithin(closed, waitMs))) return;
    await nextTurn();
  }
}
