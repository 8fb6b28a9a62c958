import { defineResource, type IResource } from "../../define/resource";
import type { DependencyMap, InjectedInResourceMap } from "../../lib/injectable";
import type { tunnel, TunnelRunner } from "./tags";

/** A tunnel as `resource({ ... })` takes it. */
export interface TunnelResourceDefinition<D extends DependencyMap = DependencyMap> {
  readonly id: string;
  readonly tags: readonly (typeof tunnel)[];
  readonly dependencies?: D | (() => D) | undefined;
  readonly init: (config: void, dependencies: InjectedInResourceMap<D>) => Promise<TunnelRunner>;
  readonly dispose?: ((value: TunnelRunner) => Promise<void>) | undefined;
}

/**
 * `resource({ ... })`, with an overload for tunnels in front.
 *
 * While the type of `tags` is still being inferred, TypeScript has no contextual type for what `init` returns, so the
 * general form could not type the selectors of a tunnel.
 */
export type ResourceDefiner = {
  <D extends DependencyMap = {}>(definition: TunnelResourceDefinition<D>): IResource<void, Promise<TunnelRunner>>;
} & typeof defineResource;

/** Makes a resource from a definition object; everything is inferred from it. */
export const defineResourceOrTunnel = defineResource as ResourceDefiner;
