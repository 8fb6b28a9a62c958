import { withFrameworkErrors } from "../../../errors/knownErrors";
import { lockContract, type ContractLock } from "../../../tunnels/contract/contractLock";
import { run } from "../../index";
import type { FoundRoot } from "../migrate/chooseRoots";

/** What the server tunnels of an application open, by a dry run. @throws {Error} it cannot boot, or opens nothing */
export async function contractOfRoot({ root, options = {} }: FoundRoot): Promise<ContractLock> {
  const { logs: _logs, signal: _signal, debug: _debug, ...kept } = options;
  const quiet = { dryRun: true, shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } };
  await using app = await run(root as Parameters<typeof run>[0], { ...kept, ...quiet });
  const { exposed, subscribable = [], dynamic } = app.topology;
  if (exposed.length + subscribable.length === 0) {
    const reason =
      dynamic.length === 0
        ? "register r.tunnel.server(...).tasks([...])."
        : `what ${dynamic.join(", ")} open is known only once they are initialised: pull from the running server.`;
    throw new Error(`No server tunnel of "${root.id}" says what may be called: ${reason}`);
  }
  const idsOf = (kind: string) => exposed.filter((each) => each.kind === kind).map(({ id }) => id);
  const { tasks, events, errors } = app.store;
  return lockContract({
    errors: withFrameworkErrors(errors),
    tasks: idsOf("task").flatMap((id) => tasks.get(id)?.task ?? []),
    events: idsOf("event").flatMap((id) => events.get(id)?.event ?? []),
    subscribable: subscribable.flatMap(({ id }) => events.get(id)?.event ?? []),
  });
}
