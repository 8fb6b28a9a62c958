import { routeEvents, type EventRouting } from "./routeEvents";
import { routeTasks } from "./routeTasks";
import type { RoutingParts } from "./routingParts";
import type { TunnelRunner } from "./tags";

/**
 * Hands tasks over to a client tunnel, and events too. Loaded with the first tunnel of a program.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel cannot run or emit
 * @throws {tunnelOwnershipConflictError} another tunnel routes one of the tasks
 */

export function routeTunnel(tunnel: TunnelRunner, ownerId: string, run: EventRouting, parts: RoutingParts): void {
  routeTasks(tunnel, ownerId, run.store, parts);
  routeEvents(tunnel, ownerId, run, parts);
}
