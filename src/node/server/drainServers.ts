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

/**
 * Connections that wait to be accepted when a server stops listening are reset, although their callers take them for
 * open. They are accepted between two turns of the event loop.
 */
export async function acceptWaiting(): Promise<void> {
  await nextTurn();
  await nextTurn();
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
