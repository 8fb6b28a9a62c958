import type { ITask } from "../../define/task";
import type { RoutingParts } from "./routingParts";

/** Ids of the caller-side middleware that a routed task keeps. Reads every accepted spelling, first match wins. */
export function keptMiddleware(
  task: ITask,
  { tunnelPolicy, isPlainObject }: Pick<RoutingParts, "tunnelPolicy" | "isPlainObject">,
): ReadonlySet<string> {
  const policy: unknown = tunnelPolicy.extract(task);
  if (!isPlainObject(policy)) return none;
  const { client, middlewareAllowList } = policy;
  if (Array.isArray(client)) return idsOf(client);
  if (isPlainObject(client) && Array.isArray(client["middlewareAllowList"]))
    return idsOf(client["middlewareAllowList"]);
  if (isPlainObject(middlewareAllowList) && Array.isArray(middlewareAllowList["client"])) {
    return idsOf(middlewareAllowList["client"]);
  }
  return none;
}

const none: ReadonlySet<string> = /* @__PURE__ */ new Set();

function idsOf(references: readonly unknown[]): ReadonlySet<string> {
  return new Set(references.map((each) => (typeof each === "string" ? each : String((each as { id?: unknown }).id))));
}
