/** A target without some parameters of its query; all else stays as it was written. */
export function withoutParameters(target: string, names: readonly string[]): string {
  const at = target.indexOf("?");
  if (at < 0 || names.length === 0) return target;
  const parts = target.slice(at + 1).split("&");
  const kept = parts.filter((part) => !names.includes(nameOf(part)));
  if (kept.length === parts.length) return target;
  return kept.length === 0 ? target.slice(0, at) : `${target.slice(0, at)}?${kept.join("&")}`;
}

/** Values of a parameter of the query. */
export const parametersOf = (target: string, name: string): readonly string[] =>
  target.includes("?") ? new URLSearchParams(target.slice(target.indexOf("?"))).getAll(name) : [];

/** As `URLSearchParams` reads it, which is what decides whether a parameter carries a credential. */
const nameOf = (part: string): string => new URLSearchParams(part).keys().next().value ?? "";
