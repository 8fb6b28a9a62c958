import type { IEventEmission } from "../../define/event";
import type { EmissionOrigin } from "../../lib/emissionPath";
import type { CallScope } from "../../runtime/callScope";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import type { RoutingParts } from "./routingParts";
import type { EventDeliveryMode, TunnelRunner } from "./tags";

type EmitRemotely = (emission: IEventEmission) => Promise<void>;
type Scope = CallScope | undefined;
type Next = (emission: IEventEmission) => Promise<void>;
type OnFallback = (emission: IEventEmission, error: unknown) => void;

interface Remote {
  readonly emitRemotely: EmitRemotely;
  readonly onFallback: OnFallback;
}

/** What routing events works on. */
export interface EventRouting {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Pick<Logger, "warn">;
}

/**
 * Delivers to a client tunnel the events it selects, in its delivery mode.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel cannot emit
 */

export function routeEvents(
  tunnel: TunnelRunner,
  ownerId: string,
  { store, eventManager, logger }: EventRouting,
  parts: RoutingParts,
): void {
  const { invalidTunnelError, resolveSelector, isClientTunnel, nameTunnel } = parts;
  const registered = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const selected = resolveSelector("Event", tunnel.events, registered);
  if (selected.length === 0 || !isClientTunnel(tunnel)) return;

  const emit = emitOf(tunnel, parts);
  if (emit === undefined) {
    throw invalidTunnelError.create({
      detail: "Tunnel resource value must implement emit(event, payload) when events[] is configured.",
      fix: 'return { client } or { emit } beside "events" from the init of the tunnel.',
    });
  }
  const emitRemotelyIn =
    (scope: Scope): EmitRemotely =>
    async (emission) => {
      const origin = { run: eventManager, emission, scope };
      try {
        const result = await emit(emission, scope, origin);
        if (result !== undefined) emission.data = result;
      } catch (error) {
        throw nameTunnel(error, ownerId);
      }
    };
  const { eventDeliveryMode: mode = "mirror" } = tunnel;
  const deliver = Object.hasOwn(deliveries, mode) ? deliveries[mode] : deliveries.mirror;
  const onFallback: OnFallback = ({ id }, error) =>
    void logger.warn("tunnel.event.fallback: delivered here, since the far side failed", {
      data: { event: id },
      error,
    });
  eventManager.interceptEvents(new Set(selected.map(({ id }) => id)), (next, emission, scope) =>
    // What was received from the other process is not sent back to it.
    hasReturned(parts.runIdOf(eventManager), emission, scope) || emission.source === `tunnel:${ownerId}`
      ? next(emission)
      : deliver(next, emission, { emitRemotely: emitRemotelyIn(scope), onFallback }),
  );
}

/** Which side receives an emission, and whose failure is the emission's. */
const deliveries: Record<EventDeliveryMode, (next: Next, emission: IEventEmission, remote: Remote) => Promise<void>> = {
  "local-only": (next, emission) => next(emission),
  "remote-only": (_next, emission, { emitRemotely }) => emitRemotely(emission),
  async "remote-first"(next, emission, { emitRemotely, onFallback }) {
    try {
      await emitRemotely(emission);
    } catch (error) {
      onFallback(emission, error);
      await next(emission);
    }
  },
  async mirror(next, emission, { emitRemotely }) {
    await next(emission);
    await emitRemotely(emission);
  },
};

/** An emission that this run sent, and that a broker has handed back to it: sending it once more would go on for ever. */
const hasReturned = (runId: string, { source }: IEventEmission, scope: Scope): boolean =>
  scope?.path !== undefined && source === scope.origin && scope.path.via.includes(runId);

type Emit = (emission: IEventEmission, scope: Scope, origin: EmissionOrigin) => Promise<unknown>;

/**
 * What a function that emits may have: another one, which is given the origin of an emission. All others see the call as it always
 * was, and learn the origin from the scope they are called in, which makes every `await` of the process slower meanwhile.
 */
export interface EmissionTaker {
  readonly ofEmission?: Emit;
}

/** The tunnel's own `emit`; a `client` stands in for it. The signal of the emitter goes along. */
function emitOf(tunnel: TunnelRunner, { leavingEmissions, remoteOptionsOf }: RoutingParts): Emit | undefined {
  const inScope =
    (emit: (emission: IEventEmission, scope: Scope) => Promise<unknown>): Emit =>
    (emission, scope, origin) =>
      leavingEmissions.run(origin, () => emit(emission, scope));
  const { client } = tunnel;
  if (typeof tunnel.emit === "function")
    return inScope((emission) => (tunnel as Required<TunnelRunner>).emit(emission));
  if (typeof client?.event !== "function") return undefined;
  return (
    (client.event as EmissionTaker).ofEmission ??
    inScope(async ({ id, data }, scope) =>
      scope === undefined ? client.event(id, data) : client.event(id, data, remoteOptionsOf(scope)),
    )
  );
}
