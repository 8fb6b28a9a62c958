import { isPhantomTask } from "../../define/task";
import type { Cells } from "../link/cells";
import type { Logger } from "../logger";
import type { BootPlan } from "../plan/planBoot";
import { targetOf } from "../plan/registration";
import { fromRun } from "./fromRun";

/** Warns of phantom tasks that something depends on and no tunnel routes: calling one does nothing, silently. */
export function warnOfUnroutedPhantoms({ registrations }: BootPlan, { tasks }: Cells, logger: Logger): void {
  const unrouted = new Map<string, string[]>();
  for (const [id, { task }] of tasks) if (isPhantomTask(task) && task.isTunneled !== true) unrouted.set(id, []);
  if (unrouted.size === 0) return;

  for (const { id, dependencies } of registrations.values()) {
    for (const key in dependencies) unrouted.get(targetOf(dependencies[key])?.id ?? "")?.push(id);
  }
  for (const [taskId, dependants] of unrouted) {
    if (dependants.length === 0) continue;
    const message =
      `Phantom task "${taskId}" is not routed by any tunnel, and ${describe(dependants)} on it.\n` +
      "  fix: select it in a tunnel of client mode; or register or override a task of that id that runs in this process; " +
      'or let such calls fail with run(app, { unroutedPhantoms: "throw" }).';
    void logger.warn(message, { ...fromRun, data: { taskId, dependants } });
  }
}

function describe(dependants: readonly string[]): string {
  const named = dependants.slice(0, 3).map((id) => `"${id}"`);
  const others = dependants.length - named.length;
  return `${named.join(", ")}${others > 0 ? ` and ${others} more` : ""} ${dependants.length === 1 ? "depends" : "depend"}`;
}
