/**
 * What kind of readable stream a value is: one of Node's, one of the web, or none.
 *
 * By what is used of it, since streams come from many packages and realms. Not by `pipe` alone: responses have that, and
 * so have things that are no streams at all.
 */
export function streamKindOf(value: unknown): "node" | "web" | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { getReader, pipe, on, resume } = value as Record<"getReader" | "pipe" | "on" | "resume", unknown>;
  if (typeof getReader === "function") return "web";
  return typeof pipe === "function" && typeof on === "function" && typeof resume === "function" ? "node" : undefined;
}
