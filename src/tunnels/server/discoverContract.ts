import { hashesOf, lockContract, type ContractLock, type DescribedErrors } from "../contract/contractLock";
import type { AllowList } from "./allowList";
import { cacheByReach } from "./cacheByReach";
import { discover, type Discover } from "./discovery";

/** How much a server tells of its contract: the hashes by which a change is noticed, or the schemas as well. */
export type ContractDetail = "hashes" | "schemas";

/** Adds the contract to a discovery. It is made at the first request, once for every selection of what can be reached. */
export function discoverContract(detail: ContractDetail): Discover {
  const locks = cacheByReach(lockReachable);
  return async (reachable, errors) => {
    const lock = await locks(reachable, errors);
    const { hash, tasks, events } = lock;
    const contract = { hash, tasks: hashesOf(tasks), events: hashesOf(events) };
    return { ...discover(reachable), contract: detail === "schemas" ? { ...contract, lock } : contract };
  };
}

/** The contract of what can be reached. @param errors those that cross to callers with their data, by id */
export const lockReachable = (
  { tasks, events, subscribable }: AllowList,
  errors: DescribedErrors,
): Promise<ContractLock> =>
  lockContract({
    tasks: [...tasks.values()].map(({ cell }) => cell.task),
    events: [...events.values()].map(({ event }) => event),
    errors,
    subscribable: [...subscribable.values()].map(({ event }) => event),
  });
