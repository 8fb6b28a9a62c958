import { defineResourceMiddleware } from "../../define/createMiddleware";
import type { IResourceMiddleware } from "../../define/middleware";
import type { IResource } from "../../define/resource";
import { invalidTunnelError } from "../../errors/bootErrors";
import { isPlainObject } from "../../lib/guards";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Logger } from "../../runtime/logger";
import type { Store } from "../../runtime/run/store";
import { nameTunnel } from "../protocol/callFailure";
import { runIdOf } from "../protocol/emissionPath";
import { leavingEmissions } from "../protocol/leavingEmissions";
import { withRepeats } from "./idempotency";
import { remoteOptionsOf } from "./remoteOptions";
import type { EventRouting } from "./routeEvents";
import type { RoutingParts } from "./routingParts";
import { resolveSelector } from "./selectors";
import { tunnelPolicy, type TunnelRunner } from "./tags";
import { tunnelPlanOf } from "./tunnelPlan";
import { isClientTunnel, isTunnelResource, misspeltFields, readTunnel } from "./tunnelResource";

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
      try {
        await apply(tunnel, resource.definition.id, { store, eventManager, logger });
      } catch (error) {
        // What failed here has initialised, as far as its own code goes, and is not disposed of: a built tunnel has a client.
        if (tunnelPlanOf(resource.definition))
          await resource.definition.dispose?.(value, undefined, {}, undefined).catch(() => {});
        throw error;
      }
      return value;
    },
  });
}

const routingParts: RoutingParts = {
  invalidTunnelError,
  isClientTunnel,
  isPlainObject,
  leavingEmissions,
  nameTunnel,
  remoteOptionsOf,
  resolveSelector,
  runIdOf,
  tunnelPolicy,
  withRepeats,
};

async function apply(tunnel: TunnelRunner, id: string, run: EventRouting): Promise<void> {
  const { routeTunnel } = await import("./routeTunnel");
  routeTunnel(tunnel, id, run, routingParts);
  if (tunnel.hears !== undefined) await partOf<TunnelHearing>(run.store, "tunnelHearing").hear(tunnel, id);
  if ((tunnel.verify?.mode ?? "off") !== "off") {
    await partOf<TunnelVerifier>(run.store, "tunnelVerifier").verify(tunnel, id);
  }
}

/** What subscribes for tunnels: it comes with what refers to it, so that pages without tunnels leave it out. */
export interface TunnelHearing {
  /** @throws {invalidTunnelError} (as a rejection) an id is not registered, or the tunnel's client cannot subscribe */
  hear(tunnel: TunnelRunner, ownerId: string): Promise<void>;
}

/** What compares tunnels with their servers, which comes in the same way. */
export interface TunnelVerifier {
  /**
   * @throws {contractMismatchError} (as a rejection) with "throw": the server is not what callers were written against
   * @throws {contractUnverifiedError} (as a rejection) with "throw": it does not say
   */
  verify(tunnel: TunnelRunner, ownerId: string): Promise<void>;
}

function partOf<T>({ resources }: Pick<Store, "resources">, name: "tunnelHearing" | "tunnelVerifier"): T {
  const id = `globals.resources.${name}`;
  const part = resources.get(id)?.value as T | undefined;
  if (part !== undefined) return part;
  throw new Error(`This bundle has no "${id}".\n  fix: register ${id}`);
}
