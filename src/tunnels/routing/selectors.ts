import { invalidTunnelError } from "../../errors/bootErrors";
import { assertSync } from "../../lib/assertSync";

interface Definition {
  readonly id: string;
}

/** Ids or definitions, or a predicate over each registered definition. */
export type Selector<D extends Definition> =
  readonly (string | Definition)[] | ((definition: D) => boolean) | undefined;

/** What becomes of items that cannot be decided; they are left out, unless this throws. */
export interface Undecided {
  onUnknown(id: string): void;
  onFailed(id: string, error: unknown): void;
}

/** Registered definitions that a selector picks, each once, in first-seen order. */
export function pick<D extends Definition>(
  selector: Selector<D>,
  registered: ReadonlyMap<string, D>,
  { onUnknown, onFailed }: Undecided,
): D[] {
  if (selector === undefined) return [];
  if (typeof selector === "function") {
    return [...registered.values()].filter((definition) => {
      try {
        return assertSync(selector(definition), "The predicate");
      } catch (error) {
        onFailed(definition.id, error);
        return false;
      }
    });
  }
  const picked = selector.flatMap((item) => {
    // Of a circular import, a list has a hole.
    const id = typeof item === "string" ? item : String((item as Definition | undefined)?.id);
    const definition = registered.get(id);
    if (definition === undefined) onUnknown(id);
    return definition ?? [];
  });
  return [...new Set(picked)];
}

/**
 * As `pick`, where nothing may be left out.
 *
 * @throws {invalidTunnelError} an id is not registered
 */
export const resolveSelector = <D extends Definition>(
  kind: "Task" | "Event",
  selector: Selector<D>,
  registered: ReadonlyMap<string, D>,
): D[] =>
  pick(selector, registered, {
    onUnknown(id) {
      const detail = `${kind} ${id} not found while trying to resolve ${kind.toLowerCase()}s for tunnel.`;
      throw invalidTunnelError.create({ detail });
    },
    onFailed(_id, error) {
      throw error;
    },
  });
