import { isOptionalDependency } from "../lib/injectable";

/** The id a dependency points at; `undefined` when it points at nothing that has one. */
export function targetOf(dependency: unknown): { readonly id: string; readonly kind?: string } | undefined {
  const target: unknown = isOptionalDependency(dependency) ? dependency.inner : dependency;
  if ((typeof target !== "object" && typeof target !== "function") || target === null) return undefined;
  const { id } = target as { id?: unknown };
  return typeof id === "string" ? (target as { id: string }) : undefined;
}
