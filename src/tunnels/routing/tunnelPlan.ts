import type { IResource } from "../../define/resource";
import type { ITag } from "../../define/tag";
import {
  tunnel,
  type EventDeliveryMode,
  type TunnelEventSelector,
  type TunnelMode,
  type TunnelTaskSelector,
  type TunnelVerification,
} from "./tags";

/**
 * What a tunnel is, as far as it is known before anything runs. Tunnels of `r.tunnel` carry it as the config of their
 * tag; those written by hand say it by the value of their `init` alone.
 */
export interface TunnelPlan {
  readonly mode: Extract<TunnelMode, "client" | "server">;
  readonly transport?: string | undefined;
  readonly tasks?: TunnelTaskSelector | undefined;
  readonly events?: TunnelEventSelector | undefined;
  readonly eventDeliveryMode?: EventDeliveryMode | undefined;
  readonly subscribable?: TunnelEventSelector | undefined;
  readonly hears?: TunnelEventSelector | undefined;
  readonly verify?: TunnelVerification | undefined;
}

/** Its config is the framework's own business, so the public type has none. */
const planned = tunnel as unknown as ITag<TunnelPlan>;

/** The tag of a tunnel that says what it is. */
export const tunnelTagOf = (plan: TunnelPlan): typeof tunnel => planned.with(plan) as unknown as typeof tunnel;

/** @returns `undefined` for what is no tunnel, and for tunnels written by hand */
export const tunnelPlanOf = (resource: IResource<any, any>): TunnelPlan | undefined => planned.extract(resource);
