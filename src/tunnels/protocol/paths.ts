import type { WireTarget } from "./wire";

/** `/task/<id>`, `/event/<id>`, or what has no id as `/batch`, to be appended to a base URL. */
export const targetPath = ({ kind, id }: WireTarget): string =>
  id && kind !== "subscribe" ? `/${kind}/${encodeURIComponent(id)}` : `/${kind}`;

/**
 * Reads what a path below the base path addresses. Doubled and trailing slashes are tolerated; `app/x` and `app%2Fx`
 * are the same id.
 *
 * @param rest path after the base path, without query
 * @returns `undefined` for anything that addresses nothing, bad percent-encoding included
 */
export function parseTarget(rest: string): WireTarget | undefined {
  const direct = parseDirect(rest);
  if (direct !== undefined) return direct;
  const [kind, ...segments] = rest.split("/").filter((segment) => segment !== "");
  if (kind === "discovery") return discovery;
  if (kind === "batch" || kind === "subscribe") return segments.length === 0 ? { kind, id: "" } : undefined;
  if ((kind !== "task" && kind !== "event") || segments.length === 0) return undefined;
  try {
    return { kind, id: decodeURIComponent(segments.join("/")) };
  } catch {
    return undefined;
  }
}

const discovery: WireTarget = { kind: "discovery", id: "" };

/** The path every client sends: one segment, nothing to decode. */
function parseDirect(rest: string): WireTarget | undefined {
  const kind = rest.startsWith("/task/") ? "task" : rest.startsWith("/event/") ? "event" : undefined;
  if (kind === undefined) return undefined;
  const id = rest.slice(kind.length + 2);
  return id === "" || id.includes("/") || id.includes("%") ? undefined : { kind, id };
}
