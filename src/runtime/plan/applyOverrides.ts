import { dependencyNotFoundError } from "../../errors/bootErrors";
import { describeValue } from "../../lib/describeValue";
import { resolveRegister } from "../../define/createResource";
import { isResource, isResourceWithConfig, type OverridableElements } from "../../define/resource";
import { collectBrought, dependenciesOf, presetOf } from "./collect";
import type { Problems } from "./problems";
import {
  registrationPath,
  registrationsOf,
  type Registration,
  type Registrations,
  type ResourceRegistration,
} from "./registration";

/** A definition that is to take the place of the one with its id. */
export interface OverrideRequest {
  /** Id of the resource that lists it. */
  readonly source: string;
  readonly override: NonNullable<OverridableElements>;
}

/**
 * Puts overrides in the place of the definitions with their ids.
 *
 * The outermost resource wins; among siblings the one registered later. An overriding resource keeps the config given
 * at registration unless it brings its own, and only those of its children are added that are not registered yet.
 */
export function applyOverrides(
  registrations: Registrations,
  problems: Problems,
): { registrations: Registrations; requests: readonly OverrideRequest[] } {
  const requests = collectRequests(registrations);
  if (requests.length === 0) return { registrations, requests };

  const applied = new Map<string, Registration>(registrations);
  // Weakest first, so that the strongest is written last.
  const winners = new Map(requests.map((request) => [request.override.id, request]));
  for (const { override, source } of winners.values()) {
    const current = registrations.get(override.id);
    const definition = isResourceWithConfig(override) ? override.resource : override;
    // What is no definition has no id.
    if (current === undefined || current.kind !== definition.kind) {
      const key = override.id ?? describeValue(override);
      problems.add(dependencyNotFoundError.create({ key, overriddenBy: source }));
      continue;
    }
    const replaced = replace(current, override);
    applied.set(override.id, replaced);
    insertBefore(applied, override.id, collectBrought(replaced, applied, problems));
  }
  return { registrations: applied, requests };
}

function replace(current: Registration, override: NonNullable<OverridableElements>): Registration {
  if (current.kind !== "resource") {
    const replaced = { ...current, definition: override } as Registration;
    return { ...replaced, dependencies: dependenciesOf(replaced) } as Registration;
  }
  const definition = isResourceWithConfig(override)
    ? override.resource
    : (override as ResourceRegistration["definition"]);
  const config = isResourceWithConfig(override) ? override.config : current.config;
  // Without an `init` of its own, an override of a framework resource keeps the framework's value.
  const preset = presetOf(definition) ?? (definition.init === undefined ? current.preset : undefined);
  const children = resolveRegister(definition.register, config);
  const replaced: ResourceRegistration = { ...current, definition, config, preset, children };
  return { ...replaced, dependencies: dependenciesOf(replaced) };
}

/** Requests from the weakest to the strongest: deepest resource first, and as registered within one depth. */
function collectRequests(registrations: Registrations): OverrideRequest[] {
  return registrationsOf(registrations, "resource")
    .filter(({ definition }) => definition.overrides.length > 0)
    .map((source) => ({ source, depth: registrationPath(source.id, registrations).length }))
    .sort((a, b) => b.depth - a.depth)
    .flatMap(({ source }) => requestsOf(source.id, source.definition.overrides, new Set()));
}

/** What overriding resources list themselves comes first: the resource that lists them wins over it. */
function requestsOf(source: string, overrides: readonly OverridableElements[], seen: Set<unknown>): OverrideRequest[] {
  const listed = overrides.filter((override) => override !== null && override !== undefined);
  const nested = listed.flatMap((override) => {
    const resource = isResourceWithConfig(override) ? override.resource : override;
    if (!isResource(resource) || seen.has(resource)) return [];
    seen.add(resource);
    return requestsOf(resource.id, resource.overrides, seen);
  });
  return [...nested, ...listed.map((override) => ({ source, override }))];
}

/** Keeps container order: what an override adds stands before the resource that brings it. */
function insertBefore(registrations: Map<string, Registration>, id: string, added: Registrations): void {
  if (added.size === 0) return;
  const entries = [...registrations];
  const at = entries.findIndex(([each]) => each === id);
  entries.splice(at, 0, ...added);
  registrations.clear();
  for (const [each, registration] of entries) registrations.set(each, registration);
}
