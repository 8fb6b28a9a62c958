import { normalizeError } from "../../errors/normaliseThrown";
import { isThenable } from "../../lib/guards";
import { tellIfSlow } from "../../lib/tellIfSlow";
import type { ResourceCell } from "../link/cells";

/**
 * Disposes of resources, last initialised first. All are attempted.
 *
 * @param tellWaiting called with the id of a resource that takes more than a moment
 * @throws what one disposer threw, or an `AggregateError` of several whose message starts with the first one's
 */
export async function disposeAll(
  initialized: readonly string[],
  resources: ReadonlyMap<string, ResourceCell>,
  tellWaiting: (id: string) => void,
): Promise<void> {
  const failures: unknown[] = [];
  for (const id of initialized.toReversed()) {
    const cell = resources.get(id);
    if (cell?.resource.dispose === undefined) continue;
    try {
      const disposed: unknown = cell.resource.dispose(cell.value, cell.config, cell.computedDependencies, cell.context);
      if (isThenable(disposed)) await tellIfSlow(disposed, () => tellWaiting(id));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  const { message } = normalizeError(failures[0]);
  throw new AggregateError(failures, `${message} (and ${failures.length - 1} more resources failed to dispose)`);
}
