import type { ResourceMiddlewareAttachmentType, TagType } from "../../define/attachments";
import type { Carrying } from "../../define/contracts";
import { defineResource } from "../../define/createResource";
import type { Resource } from "../../define/resource";
import type { HeldIn, ResourceDefinition } from "../../define/resourceBuilder";
import type {
  DependencyMap,
  InjectedInResource,
  InjectedInResourceMap,
  ReceivedBy,
  ReturnedBy,
} from "../../lib/injectable";
import type { MissingRoute, tunnel, TunnelRunner } from "./tags";

/** What the value has to be besides what it is. */
type Routed<R> = [MissingRoute<R>] extends [never] ? unknown : MissingRoute<R>;

/** A tunnel as `resource({ ... })` takes it. */
export interface TunnelResourceDefinition<
  C,
  D,
  Deps,
  Tags extends readonly TagType[],
  Id extends string,
  R,
> extends Omit<
  ResourceDefinition<C, Promise<TunnelRunner>, D, Deps, unknown, unknown, Tags, [], Id>,
  "tags" | "init" | "dispose"
> {
  readonly tags: Tags;
  init(config: C, dependencies: Deps, context: any): Promise<R & Routed<R>>; // whatever the context is
  dispose?(value: TunnelRunner, config: C, dependencies: Deps, context: any): Promise<void>; // as above
}

/** Whether the tag of tunnels is among them. */
type HasTunnel<Tags> = Tags extends readonly unknown[]
  ? true extends { [K in keyof Tags]: Tags[K] extends typeof tunnel ? true : never }[number]
    ? true
    : false
  : false;

/**
 * `resource({ ... })`, with a form of its own for tunnels.
 *
 * While the type of `tags` is still being inferred, TypeScript has no contextual type for what `init` returns, so the
 * general form could not type the selectors of a tunnel. The second parameter cannot be given. It makes TypeScript pass
 * over the form that does not apply, so that a mistake is reported against the other alone.
 */
export interface ResourceDefiner {
  <
    C = void,
    D extends DependencyMap = never,
    const Tags extends readonly TagType[] = [],
    Id extends string = any,
    R extends TunnelRunner = TunnelRunner,
  >(
    definition: TunnelResourceDefinition<C, D, ReceivedBy<D, Id, InjectedInResourceMap<D>>, Tags, Id, R>,
    ...never: HasTunnel<Tags> extends true ? [] : [never]
  ): Resource<C, Promise<TunnelRunner>, ReceivedBy<D, Id, { [K in keyof D]: InjectedInResource<D[K]> }>>;
  <
    C = void,
    V extends Promise<any> = Promise<any>,
    D extends DependencyMap = never,
    Context = any,
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with type arguments of 5.x
    M = any,
    const Tags extends readonly TagType[] = readonly TagType[],
    const Mw extends readonly ResourceMiddlewareAttachmentType[] = readonly ResourceMiddlewareAttachmentType[],
    Id extends string = any,
  >(
    definition: ResourceDefinition<
      C,
      V,
      D,
      ReceivedBy<D, Id, InjectedInResourceMap<D>>,
      ReturnedBy<V, Id>,
      Context,
      Tags,
      Mw,
      Id
    >,
    ...never: HasTunnel<Tags> extends true ? [never] : []
  ): Resource<
    C,
    V,
    HeldIn<V, ReceivedBy<D, Id, { [K in keyof D]: InjectedInResource<D[K]> }>, Context, Carrying<Tags, Mw>>
  >;
}

/** Makes a resource from a definition object; everything is inferred from it. */
export const defineResourceOrTunnel: ResourceDefiner = defineResource;
