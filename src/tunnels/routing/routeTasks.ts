import { invalidTunnelError } from "../../errors/bootErrors";
import type { Store } from "../../runtime/run/store";
import { nameTunnel } from "../protocol/callFailure";
import { keptMiddleware } from "./middlewarePolicy";
import { resolveSelector } from "./selectors";
import type { TunnelRunner } from "./tags";
import { isClientTunnel } from "./tunnelResource";

/**
 * Hands the tasks that a client tunnel selects over to it.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel cannot run tasks
 * @throws {tunnelOwnershipConflictError} another tunnel routes one of the tasks
 */
export function routeTasks(tunnel: TunnelRunner, ownerId: string, store: Store): void {
  const registered = new Map([...store.tasks].map(([id, { task }]) => [id, task]));
  const selected = resolveSelector("Task", tunnel.tasks, registered);
  if (selected.length === 0 || !isClientTunnel(tunnel)) return;

  const run = runOf(tunnel);
  if (run === undefined) {
    throw invalidTunnelError.create({
      detail: "Tunnel resource value must implement run(task, input) when tasks[] is configured.",
      fix: 'return { client } or { run } beside "tasks" from the init of the tunnel.',
    });
  }
  const runNamed: Run = async (task, input, options) => {
    try {
      return await run(task, input, options);
    } catch (error) {
      throw nameTunnel(error, ownerId);
    }
  };
  for (const task of selected)
    store.routeTask(task.id, { ownerId, run: runNamed, keepsMiddleware: keptMiddleware(task) });
}

type Run = NonNullable<TunnelRunner["run"]>;

/** The tunnel's own `run`; a `client` stands in for it. The call's signal goes along. */
function runOf(tunnel: TunnelRunner): Run | undefined {
  const { client } = tunnel;
  if (typeof tunnel.run === "function") {
    // A tunnel written for two parameters sees two, unless there is a signal to pass.
    return (task, input, options) => {
      const run = tunnel.run as Run;
      return options?.signal ? run.call(tunnel, task, input, options) : run.call(tunnel, task, input);
    };
  }
  if (typeof client?.task !== "function") return undefined;
  return async (task, input, options) =>
    (options?.signal ? client.task(task.id, input, options) : client.task(task.id, input)) as unknown;
}
