import { defineResourceMiddleware, type IResourceMiddleware } from "../../define/middleware";
import type { IResource } from "../../define/resource";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import { routeEvents } from "./routeEvents";
import { routeTasks } from "./routeTasks";
import type { TunnelRunner } from "./tags";
import { isTunnelResource, misspeltFields, readTunnel } from "./tunnelResource";

/** The handles of the run, which live a layer above. */
export interface TunnelMiddlewareHandles {
  readonly store: IResource<void, Promise<Store>>;
  readonly eventManager: IResource<void, Promise<EventManager>>;
  readonly logger: IResource<void, Promise<Pick<Logger, "warn">>>;
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
      if (tunnel.hears !== undefined) hearingOf(store).hear(tunnel, resource.definition.id);
      return value;
    },
  });
}

/** What subscribes for tunnels: it comes with what refers to it, so that pages without tunnels leave it out. */
export interface TunnelHearing {
  /** @throws {invalidTunnelError} an id is not registered, or the tunnel's client cannot subscribe */
  hear(tunnel: TunnelRunner, ownerId: string): void;
}

export const tunnelHearingId = "globals.resources.tunnelHearing";

function hearingOf({ resources }: Pick<Store, "resources">): TunnelHearing {
  const hearing = resources.get(tunnelHearingId)?.value as TunnelHearing | undefined;
  if (hearing !== undefined) return hearing;
  throw new Error(`This bundle has no "${tunnelHearingId}".\n  fix: register globals.resources.tunnelHearing`);
}
