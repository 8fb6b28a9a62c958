import { createResource } from "../define/createResource";
import type { IResource } from "../define/resource";
import type { ResourceDraft } from "../define/resourceBuilder";
import { symbolFramework } from "../lib/symbols";
import type { PresetScope } from "../runtime/run/presets";
import { system as systemTag } from "./tags";

export interface FrameworkResourceOptions<V> {
  /** Computes the value of one run. */
  readonly value: (scope: PresetScope) => V;
  /** Adapts the value for one dependant. */
  readonly injectFor?: (value: V, dependantId: string) => V;
  /** It does something to the run, so it is not left until it is read. Default false. */
  readonly atBoot?: boolean;
  /** Whether it is tagged as part of the framework; what applications call themselves is not. Default true. */
  readonly system?: boolean;
}

/** A framework resource that initialises as others do; referring to it is enough. */
export const frameworkService = <V>(
  draft: Pick<ResourceDraft, "id" | "context" | "init" | "dispose">,
): IResource<void, Promise<V>> => createResource({ ...draft, [symbolFramework]: {} }, () => "unknown");

/** A resource whose value every run has from the start, without being registered. */
export function frameworkResource<V>(id: string, options: FrameworkResourceOptions<V>): IResource<void, Promise<V>> {
  const { system = true, ...preset } = options;
  return createResource(
    {
      id,
      tags: system ? [systemTag] : [],
      [symbolFramework]: preset,
    },
    () => "unknown",
  );
}
