import { invalidTunnelError } from "../../errors/bootErrors";
import type { IResource } from "../../define/resource";
import { tunnel, type TunnelRunner } from "./tags";

/** Whether a resource's value is a tunnel. */
export const isTunnelResource = (resource: IResource<any, any>): boolean => tunnel.exists(resource);

/**
 * Narrows the value of a tunnel resource.
 *
 * @throws {invalidTunnelError} it is no object, as when `init` forgets to return, or its mode is misspelt
 */
export function readTunnel(value: unknown): TunnelRunner {
  if (typeof value !== "object" || value === null) {
    throw invalidTunnelError.create({ detail: `Tunnel resource value must be an object, got ${String(value)}.` });
  }
  const { mode } = value as { mode?: unknown };
  if (mode !== undefined && !modes.has(mode)) {
    const known = [...modes].join(", ");
    throw invalidTunnelError.create({ detail: `Tunnel mode must be one of ${known}, got ${String(mode)}.` });
  }
  return value;
}

const modes: ReadonlySet<unknown> = /* @__PURE__ */ new Set(["client", "server", "both", "none"]);

/** Whether calls are routed away by this tunnel. */
export const isClientTunnel = ({ mode }: TunnelRunner): boolean => mode === "client" || mode === "both";

/** Whether an HTTP exposure serves what this tunnel selects. */
export const isHttpServerTunnel = ({ mode, transport }: TunnelRunner): boolean =>
  (mode === "server" || mode === "both") && (!transport || transport === "http");
