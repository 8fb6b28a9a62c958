import { defineResourceMiddleware, type IResourceMiddleware } from "../../define/middleware";
import type { IResource } from "../../define/resource";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import { routeEvents } from "./routeEvents";
import { routeTasks } from "./routeTasks";
import { isTunnelResource, misspeltFields, readTunnel } from "./tunnelResource";

/** The handles of the run, which live a layer above. */
export interface TunnelMiddlewareHandles {
  readonly store: IResource<void, Promise<Store>>;
  readonly eventManager: IResource<void, Promise<EventManager>>;
  readonly logger: IResource<void, Promise<Pick<Logger, "warn" | "error">>>;
}

/** Applies every tunnel right after its resource initialised; the resource's value stays what `init` returned. */
export function createTunnelMiddleware(handles: TunnelMiddlewareHandles): IResourceMiddleware<void> {
  return defineResourceMiddleware<void, void, void, TunnelMiddlewareHandles & Record<string, IResource<void, any>>>({
    id: "globals.middleware.resource.tunnel",
    dependencies: { ...handles },
    everywhere: isTunnelResource,
    async run({ resource, next }, { store, eventManager, logger }) {
      const value: unknown = await next();
      const tunnel = readTunnel(value);
      for (const [field, meant] of misspeltFields(tunnel)) {
        // Other fields are the application's own business.
        void logger.warn(`Tunnel "${resource.definition.id}" has a field "${field}". Did you mean "${meant}"?`);
      }
      routeTasks(tunnel, resource.definition.id, store);
      routeEvents(tunnel, resource.definition.id, { store, eventManager, logger });
      if (tunnel.hears !== undefined) {
        const { hearEvents } = await import("./hearEvents");
        hearEvents(tunnel, resource.definition.id, { store, eventManager, logger });
      }
      return value;
    },
  });
}
