import { invalidTunnelError } from "../../errors/bootErrors";
import type { IResource } from "../../define/resource";
import { nearestName } from "../../lib/nearestName";
import { contextSelectionForm, isContextSelection } from "./contextSelection";
import { tunnel, type TunnelRunner } from "./tags";

/** Whether a resource's value is a tunnel. */
export const isTunnelResource = (resource: IResource<any, any>): boolean =>
  // A boot asks several times for each resource, and most have no tags.
  resource.tags.length > 0 && tunnel.exists(resource);

/**
 * Narrows the value of a tunnel resource.
 *
 * @throws {invalidTunnelError} it is no object, as when `init` forgets to return, or one of its fields makes no sense
 */
export function readTunnel(value: unknown): TunnelRunner {
  if (typeof value !== "object" || value === null) {
    throw invalidTunnel(`Tunnel resource value must be an object, got ${String(value)}.`);
  }
  const { mode, tasks, events, subscribable, hears, allowAsyncContext, contexts } = value as Record<
    keyof TunnelRunner,
    unknown
  >;
  if (mode !== undefined && !modes.has(mode)) {
    throw invalidTunnel(`Tunnel mode must be one of ${[...modes].join(", ")}, got ${String(mode)}.`);
  }
  // Anything but `true` would have to be a no, and a no that is spelled `"false"` is a mistake to report.
  if (allowAsyncContext !== undefined && typeof allowAsyncContext !== "boolean") {
    throw invalidTunnel(`Tunnel allowAsyncContext must be a boolean, got ${String(allowAsyncContext)}.`);
  }
  if (contexts !== undefined && !isContextSelection(contexts)) {
    throw invalidTunnel(`Tunnel contexts must be ${contextSelectionForm}.`);
  }
  checkSelector("tasks", tasks);
  checkSelector("events", events);
  checkSelector("subscribable", subscribable);
  checkSelector("hears", hears);
  return value;
}

/** @throws {invalidTunnelError} it is neither a list of ids and definitions nor a predicate */
export function checkSelector(field: string, selector: unknown): void {
  if (selector === undefined || typeof selector === "function") return;
  if (!Array.isArray(selector)) {
    throw invalidTunnel(
      `Tunnel ${field} must be a list of ids or definitions, or a predicate, got ${typeof selector}.`,
    );
  }
  const index = selector.findIndex(
    (item: unknown) => typeof item !== "string" && typeof (item as { id?: unknown } | undefined)?.id !== "string",
  );
  if (index === -1) return;
  const hint = selector[index] === undefined ? ": usually a circular import. Name it by its id" : "";
  throw invalidTunnel(`Tunnel ${field}[${index}] is ${String(selector[index])}${hint}.`);
}

const modes: ReadonlySet<unknown> = /* @__PURE__ */ new Set(["client", "server", "both", "none"]);
const invalidTunnel = (detail: string): Error => invalidTunnelError.create({ detail });

/** Fields that a tunnel does not have and that look like ones it has, each with that one. */
export function misspeltFields(tunnel: TunnelRunner): readonly (readonly [string, string])[] {
  return Object.keys(tunnel).flatMap((key) => {
    const nearest = fields.includes(key) ? undefined : nearestName(key, fields);
    return nearest === undefined ? [] : [[key, nearest] as const];
  });
}

const fields: readonly string[] = [
  "transport",
  "mode",
  "tasks",
  "events",
  "subscribable",
  "hears",
  "verify",
  "eventDeliveryMode",
  "run",
  "emit",
  "client",
  "allowAsyncContext",
  "contexts",
] satisfies (keyof TunnelRunner)[];

/** Whether calls are routed away by this tunnel. */
export const isClientTunnel = ({ mode }: TunnelRunner): boolean => mode === "client" || mode === "both";

/**
 * Whether a server that speaks `served` serves what this tunnel selects; a tunnel that names no transport opens all, and
 * so does a server that speaks `undefined`.
 */
export const isServerTunnel = ({ mode, transport }: TunnelRunner, served: string | undefined): boolean =>
  (mode === "server" || mode === "both") && (!transport || served === undefined || transport === served);
