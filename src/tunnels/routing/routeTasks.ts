import type { ITask } from "../../define/task";
import type { TaskRoute } from "../../runtime/link/taskCell";
import type { Store } from "../../runtime/run/store";
import { keptMiddleware } from "./middlewarePolicy";
import type { RoutingParts } from "./routingParts";
import type { RoutedCallOptions, TunnelRunner } from "./tags";

/**
 * Hands the tasks that a client tunnel selects over to it.
 *
 * @throws {invalidTunnelError} an id is not registered, or the tunnel cannot run tasks
 * @throws {tunnelOwnershipConflictError} another tunnel routes one of the tasks
 */

export function routeTasks(tunnel: TunnelRunner, ownerId: string, store: Store, parts: RoutingParts): void {
  const { invalidTunnelError, resolveSelector, isClientTunnel, nameTunnel, remoteOptionsOf } = parts;
  const registered = new Map([...store.tasks].map(([id, { task }]) => [id, task]));
  const selected = resolveSelector("Task", tunnel.tasks, registered);
  if (selected.length === 0 || !isClientTunnel(tunnel)) return;

  const run = runOf(tunnel, parts);
  if (run === undefined) {
    throw invalidTunnelError.create({
      detail: "Tunnel resource value must implement run(task, input) when tasks[] is configured.",
      fix: 'return { client } or { run } beside "tasks" from the init of the tunnel.',
    });
  }
  const runNamed: Run = async (task, input, scope, given) => {
    try {
      const options = scope && remoteOptionsOf(scope);
      return await run(task, input, given === undefined ? options : { ...options, ...given });
    } catch (error) {
      throw nameTunnel(error, ownerId);
    }
  };
  for (const task of selected)
    store.routeTask(task.id, { ownerId, run: runNamed, keepsMiddleware: keptMiddleware(task, parts) });
}

type Run = TaskRoute["run"];
type RunRemotely = (task: ITask, input: unknown, options: RoutedCallOptions | undefined) => Promise<unknown>;

/** The tunnel's own `run`; a `client` stands in for it. */
function runOf(tunnel: TunnelRunner, { withRepeats }: RoutingParts): RunRemotely | undefined {
  const { client } = tunnel;
  const stream = client?.stream?.bind(client);
  // What was written for two parameters sees two, unless there is something to pass.
  if (typeof tunnel.run === "function") {
    return (task, input, options) => {
      const runner = tunnel as Required<TunnelRunner>;
      return options === undefined ? runner.run(task, input) : runner.run(task, input, options);
    };
  }
  if (typeof client?.task !== "function") return undefined;
  return async (task, input, options) => {
    if (task.streams === true) {
      if (stream === undefined)
        throw new TypeError(`The client of the tunnel cannot stream, and task "${task.id}" does.`);
      return stream(task.id, input, options);
    }
    const call = withRepeats(task, input, options);
    return (call === undefined ? client.task(task.id, input) : client.task(task.id, input, call)) as unknown;
  };
}
