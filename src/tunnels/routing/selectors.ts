import { invalidTunnelError } from "../../errors/bootErrors";

interface Definition {
  readonly id: string;
}

type Selector<D extends Definition> = readonly (string | Definition)[] | ((definition: D) => boolean) | undefined;

/**
 * Registered definitions that a selector picks, each once, in first-seen order.
 *
 * @throws {invalidTunnelError} an id is not registered
 */
export function resolveSelector<D extends Definition>(
  kind: "Task" | "Event",
  selector: Selector<D>,
  registered: ReadonlyMap<string, D>,
): D[] {
  if (selector === undefined) return [];
  if (typeof selector === "function") return [...registered.values()].filter((definition) => selector(definition));
  const picked = selector.map((item) => {
    const id = typeof item === "string" ? item : item.id;
    const definition = registered.get(id);
    if (definition !== undefined) return definition;
    const detail = `${kind} ${id} not found while trying to resolve ${kind.toLowerCase()}s for tunnel.`;
    throw invalidTunnelError.create({ detail });
  });
  return [...new Set(picked)];
}
