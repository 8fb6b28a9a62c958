import { invalidTunnelError } from "../../errors/bootErrors";
import type { IEventEmission } from "../../define/event";
import type { EventManager } from "../../runtime/eventManager";
import type { Store } from "../../runtime/store";
import { resolveSelector } from "./selectors";
import type { EventDeliveryMode, TunnelRunner } from "./tags";
import { isClientTunnel } from "./tunnelResource";

type EmitRemotely = (emission: IEventEmission) => Promise<void>;
type Next = (emission: IEventEmission) => Promise<void>;

/**
 * Lets a client tunnel hear the events it selects, in its delivery mode.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel cannot emit
 */
export function routeEvents(tunnel: TunnelRunner, store: Store, eventManager: EventManager): void {
  const registered = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const selected = resolveSelector("Event", tunnel.events, registered);
  if (selected.length === 0 || !isClientTunnel(tunnel)) return;

  const emit = emitOf(tunnel);
  if (emit === undefined) {
    throw invalidTunnelError.create({
      detail: "Tunnel resource value must implement emit(event, payload) when events[] is configured.",
    });
  }
  const emitRemotely: EmitRemotely = async (emission) => {
    const result = await emit(emission);
    if (result !== undefined) emission.data = result;
  };
  const deliver = deliveries[tunnel.eventDeliveryMode as EventDeliveryMode] ?? deliveries.mirror;
  eventManager.interceptEvents(new Set(selected.map(({ id }) => id)), (next, emission) =>
    deliver(next, emission, emitRemotely),
  );
}

/** Who hears an emission, and whose failure is the emission's. */
const deliveries: Record<
  EventDeliveryMode,
  (next: Next, emission: IEventEmission, remote: EmitRemotely) => Promise<void>
> = {
  "local-only": (next, emission) => next(emission),
  "remote-only": (_next, emission, remote) => remote(emission),
  async "remote-first"(next, emission, remote) {
    try {
      await remote(emission);
    } catch {
      await next(emission);
    }
  },
  async mirror(next, emission, remote) {
    await next(emission);
    await remote(emission);
  },
};

type Emit = NonNullable<TunnelRunner["emit"]>;

/** The tunnel's own `emit`; a `client` stands in for it. */
function emitOf(tunnel: TunnelRunner): Emit | undefined {
  const { client } = tunnel;
  if (typeof tunnel.emit === "function") return (emission) => (tunnel.emit as Emit).call(tunnel, emission);
  if (typeof client?.event !== "function") return undefined;
  return async ({ id, data }) => client.event(id, data);
}
