import { eventManagerId, readyEventId, storeId, taskRunnerId } from "../../define/reservedIds";
import { isThenable } from "../../lib/guards";
import type { WaitWatch } from "../../lib/waitWatch";
import type { CallScope } from "../callScope";
import type { Listener } from "../events/emission";
import type { AttachedHook } from "../events/attachedHook";
import type { EventManager } from "../events/eventManager";
import { HookDependencyState, type Cells, type HookCell } from "../link/cells";
import { findReentrantEvents } from "../plan/checkEmissions";
import type { BootPlan } from "../plan/planBoot";

/**
 * Attaches the hooks of a run; they are skipped until their dependencies are there.
 *
 * @param readyWatch knows which of them the boot waits for while it becomes ready
 */
export function attachHooks(plan: BootPlan, cells: Cells, eventManager: EventManager, readyWatch: WaitWatch): void {
  const hooks: AttachedHook[] = [];
  for (const [id, cell] of cells.hooks) {
    const { on } = cell.hook;
    if (on === undefined) continue;
    const eventIds = on === "*" ? on : [on].flat().map((event) => event.id);
    const listen: AttachedHook["listen"] = (hook, emission, scope) =>
      isReady(cell) ? hook.run(emission, dependenciesFor(cell, scope)) : undefined;
    const awaitsReady = eventIds === "*" || eventIds.includes(readyEventId);
    hooks.push({
      hook: cell.hook,
      eventIds,
      listen: awaitsReady ? watchReady(id, listen, readyWatch) : listen,
      bake: () => (awaitsReady || !isReady(cell) ? undefined : bakeHook(cell)),
    });
  }
  if (hooks.length > 0) eventManager.attachHooks(hooks, findReentrantEvents(plan, emitsAnything));
}

const isReady = ({ dependencyState }: HookCell): boolean => dependencyState === HookDependencyState.Ready;

const dependenciesFor = ({ computedDependencies, bindDependencies }: HookCell, scope: CallScope | undefined): object =>
  scope === undefined || bindDependencies === undefined ? computedDependencies : bindDependencies(scope);

/** The hook, called without a look at how far it is. */
function bakeHook(cell: HookCell): Listener["run"] {
  const { hook, computedDependencies, bindDependencies } = cell;
  return bindDependencies === undefined
    ? (emission) => hook.run(emission, computedDependencies)
    : (emission, scope) => hook.run(emission, dependenciesFor(cell, scope));
}

/** Only what listens to `ready` pays for this. */
function watchReady(id: string, listen: AttachedHook["listen"], watch: WaitWatch): AttachedHook["listen"] {
  return (hook, emission, scope) => {
    const running = listen(hook, emission, scope);
    if (emission.id !== readyEventId || !isThenable(running)) return running;
    watch.begin(id);
    return Promise.resolve(running).finally(() => watch.end(id));
  };
}

const emitsAnything = (id: string): boolean => id === storeId || id === eventManagerId || id === taskRunnerId;
