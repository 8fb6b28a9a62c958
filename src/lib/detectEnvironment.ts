/** A kind of runtime; "universal" is one that is none of the others, as Deno and Bun. */
export type PlatformId = "node" | "browser" | "edge" | "universal";

interface GlobalShape {
  window?: unknown;
  document?: unknown;
  process?: { versions?: { node?: unknown } };
  Deno?: unknown;
  Bun?: unknown;
  importScripts?: unknown;
  self?: unknown;
  WorkerGlobalScope?: unknown;
  navigator?: { userAgent?: unknown };
  EdgeRuntime?: unknown;
}

/**
 * Which kind of runtime this is. Order matters: jsdom under Node counts as a browser, Deno and Bun as universal, and the
 * edge hosts that imitate Node's globals as the edge.
 */
export function detectEnvironment(): PlatformId {
  const scope = globalThis as GlobalShape;
  if (scope.window !== undefined && scope.document !== undefined) return "browser";
  if (scope.Deno !== undefined || scope.Bun !== undefined) return "universal";
  if (isEdgeHost(scope)) return "edge";
  if (typeof scope.process?.versions?.node === "string") return "node";
  if (typeof scope.importScripts === "function" && scope.window === undefined) return "edge";
  const { WorkerGlobalScope: workerScope, self } = scope;
  if (typeof workerScope === "function" && self instanceof workerScope) return "edge";
  return "universal";
}

/** Whether this is the runtime of Cloudflare. */
export const isWorkerd = (): boolean => (globalThis as GlobalShape).navigator?.userAgent === "Cloudflare-Workers";

/** Cloudflare's workers are no `WorkerGlobalScope` to themselves; Vercel's edge functions have this global alone. */
const isEdgeHost = ({ navigator, EdgeRuntime }: GlobalShape): boolean =>
  navigator?.userAgent === "Cloudflare-Workers" || typeof EdgeRuntime === "string";
