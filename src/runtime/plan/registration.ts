import type { IErrorHelper } from "../../errors/defineError";
import type { IAsyncContext } from "../../define/asyncContext";
import type { IEvent } from "../../define/event";
import type { IHook } from "../../define/hook";
import type { IResourceMiddleware, ITaskMiddleware } from "../../define/middleware";
import type { FrameworkPreset, IResource, RegisterableItems } from "../../define/resource";
import type { ITag } from "../../define/tag";
import type { ITask } from "../../define/task";
import { listIn } from "../../lib/graph";
import { isOptionalDependency, type DependencyMap } from "../../lib/injectable";

interface RegistrationOf<Kind extends string, Definition> {
  readonly kind: Kind;
  readonly id: string;
  readonly definition: Definition;
  /** Given with `.with(...)`, else `{}`. */
  readonly config: unknown;
  /** Id of the resource that registers it; absent for the root and for what the framework adds. */
  readonly owner: string | undefined;
  /** Function forms are resolved. */
  readonly dependencies: DependencyMap;
}

export type TaskRegistration = RegistrationOf<"task", ITask>;
export interface ResourceRegistration extends RegistrationOf<"resource", IResource<any, any>> {
  /** What it registers; function forms are resolved. */
  readonly children: readonly RegisterableItems[];
  /** How the framework computes the value; absent for resources that initialise. */
  readonly preset: FrameworkPreset["value"];
}
export type HookRegistration = RegistrationOf<"hook", IHook>;
export type EventRegistration = RegistrationOf<"event", IEvent>;
export type TaskMiddlewareRegistration = RegistrationOf<"taskMiddleware", ITaskMiddleware>;
export type ResourceMiddlewareRegistration = RegistrationOf<"resourceMiddleware", IResourceMiddleware>;

/** One definition that takes part in a run, flat and resolved. */
export type Registration =
  | TaskRegistration
  | ResourceRegistration
  | HookRegistration
  | EventRegistration
  | TaskMiddlewareRegistration
  | ResourceMiddlewareRegistration
  | RegistrationOf<"tag", ITag<any, any, any>>
  | RegistrationOf<"error", IErrorHelper>
  | RegistrationOf<"asyncContext", IAsyncContext>;

/**
 * All registrations by id, in container order: built-ins, then depth-first as registered, the root last.
 *
 * Stages that do little for each of them use `forEach`: a boot runs once, uncompiled, where `for ... of` makes an object for each
 * turn. One that does much keeps its loop, since engines compile a callback of a thousand calls, which takes longer than the calls.
 */
export type Registrations = ReadonlyMap<string, Registration>;

/** Those of one kind, in container order. Call it once a stage has handed its registrations over: it remembers them by kind. */
export function registrationsOf<Kind extends Registration["kind"]>(
  registrations: Registrations,
  kind: Kind,
): readonly Extract<Registration, { kind: Kind }>[] {
  const kinds = byKind.get(registrations) ?? new Map<Registration["kind"], Registration[]>();
  if (kinds.size === 0) registrations.forEach((registration) => listIn(kinds, registration.kind).push(registration));
  byKind.set(registrations, kinds);
  return listIn(kinds, kind) as Extract<Registration, { kind: Kind }>[];
}

/** A boot asks for the kinds some twenty times, of what may be thousands. */
const byKind = /* @__PURE__ */ new WeakMap<Registrations, Map<Registration["kind"], Registration[]>>();

/** The ids from the root to a registration, as registered. */
export function registrationPath(id: string, registrations: Registrations): string[] {
  const path = [id];
  for (let owner = registrations.get(id)?.owner; owner !== undefined; owner = registrations.get(owner)?.owner) {
    path.unshift(owner);
  }
  return path;
}

/** The id a dependency points at; `undefined` when it points at nothing that has one. */
export function targetOf(dependency: unknown): { readonly id: string; readonly kind?: string } | undefined {
  const target: unknown = isOptionalDependency(dependency) ? dependency.inner : dependency;
  if ((typeof target !== "object" && typeof target !== "function") || target === null) return undefined;
  const { id } = target as { id?: unknown };
  return typeof id === "string" ? (target as { id: string }) : undefined;
}
