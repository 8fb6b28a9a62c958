import { invalidTunnelError } from "../../errors/bootErrors";
import { readyEventId } from "../../define/reservedIds";
import type { SubscribeOptions, SubscriptionGap } from "../../define/subscription";
import type { EmissionPath } from "../../lib/emissionPath";
import { settlesWithin } from "../../lib/timers";
import { enterSlots } from "../../platform/contextScope";
import { isRepeatedOn } from "../protocol/repeatedEmissions";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import type { EventRouting } from "./routeEvents";
import { resolveSelector } from "./selectors";
import type { TunnelClient, TunnelRunner } from "./tags";
import { isClientTunnel, isTunnelResource } from "./tunnelResource";

/** How long the hooks of what was heard last may take when the run ends, in ms. */
const lastHooksMs = 10_000;

/** What hearing works on. */
export interface EventHearing extends EventRouting {
  readonly logger: Pick<Logger, "warn" | "error">;
}

/** An event that came from the other process. */
interface Heard {
  readonly event: string;
  readonly payload: unknown;
  readonly path?: EmissionPath | undefined;
}

/** Source of emissions that a tunnel has received from the other process. */
export const heardBy = (tunnelId: string): string => `tunnel:${tunnelId}`;

/**
 * Has listeners of this run receive the events that a client tunnel subscribes to, from ready on until the run ends.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel's client cannot subscribe
 */
export function hearEvents(tunnel: TunnelRunner, ownerId: string, hearing: EventHearing): void {
  const { store, eventManager } = hearing;
  const registered = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const ids = resolveSelector("Event", tunnel.hears, registered).map(({ id }) => id);
  if (ids.length === 0 || !isClientTunnel(tunnel)) return;
  const { client } = tunnel;
  if (typeof client?.subscribe !== "function") {
    throw invalidTunnelError.create({
      detail: "Tunnel resource value must have a client that can subscribe when hears[] is configured.",
      fix: 'return { client } beside "hears" from the init of the tunnel: every client of this package can.',
    });
  }
  const ending = new AbortController();
  let hearingEvents: Promise<void> = Promise.resolve();
  const begin = (): void => {
    // The contexts of the code that started the run are not those of the emissions.
    hearingEvents = enterSlots(new Map(), () => hear(client as Subscriber, ids, { ...hearing, ownerId, ending }));
  };
  const ready = store.events.get(readyEventId)?.event;
  if (ready !== undefined) eventManager.addListener(ready, begin);
  store.addDrain({
    longestMs: lastHooksMs,
    async drain() {
      ending.abort();
      await settlesWithin(hearingEvents, lastHooksMs);
    },
  });
}

type Subscriber = Required<Pick<TunnelClient, "subscribe">>;

interface HearingOf extends EventHearing {
  readonly ownerId: string;
  readonly ending: AbortController;
}

/** Emits here what is heard, one after the other. Never rejects. */
async function hear(client: Subscriber, ids: readonly string[], { ownerId, ending, ...run }: HearingOf): Promise<void> {
  const { eventManager, store, logger } = run;
  const { signal } = ending;
  const away = heardElsewhereOnly(store);
  const origin = heardBy(ownerId);
  const options: SubscribeOptions & { readonly withPath: true } = {
    signal,
    withPath: true,
    onGap: ({ event, reason, missed }: SubscriptionGap) =>
      void logger.warn("tunnel.hears.gap: events of the other process were missed", {
        data: { tunnel: ownerId, event, reason, missed },
      }),
  };
  try {
    for await (const heard of client.subscribe(ids, options) as AsyncIterable<Heard>) {
      const { event: id, payload, path } = heard;
      const event = store.events.get(id)?.event;
      // It was emitted here, or has come by another way.
      if (event === undefined || isRepeatedOn(path, eventManager, id, away.has(id))) continue;
      try {
        await eventManager.cell(event).linked.emit(payload, origin, { signal, origin, path });
      } catch (error) {
        void logger.error("tunnel.hears.error: what listens to an event of the other process failed", {
          data: { tunnel: ownerId, event: id },
          error,
        });
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    void logger.error("tunnel.hears.ended: events of the other process are not heard any longer", {
      data: { tunnel: ownerId, events: ids },
      error,
    });
  }
}

/** Events that tunnels deliver to other processes alone: what is emitted here is heard here only if it comes back. */
function heardElsewhereOnly(store: Store): ReadonlySet<string> {
  const registered = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const ids = new Set<string>();
  for (const { resource, value } of store.resources.values()) {
    if (!isTunnelResource(resource)) continue;
    const tunnel = value as TunnelRunner;
    if (!isClientTunnel(tunnel) || tunnel.eventDeliveryMode !== "remote-only") continue;
    for (const { id } of resolveSelector("Event", tunnel.events, registered)) ids.add(id);
  }
  return ids;
}
