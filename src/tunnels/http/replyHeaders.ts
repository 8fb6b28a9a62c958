/** Flat names and values that every reply has. */
export const securityHeaders: readonly string[] = ["x-content-type-options", "nosniff", "x-frame-options", "DENY"];

/** Joins two lists as they stand in `Vary`, each name once. */
export function mergeVary(existing: number | string | readonly string[], added: string | readonly string[]): string {
  const names = `${String(existing)},${String(added)}`.split(",").map((name) => name.trim());
  if (names.includes("*")) return "*";
  const byKey = new Map<string, string>();
  for (const name of names) {
    const key = name.toLowerCase();
    if (name !== "" && !byKey.has(key)) byKey.set(key, name);
  }
  return [...byKey.values()].join(", ");
}
