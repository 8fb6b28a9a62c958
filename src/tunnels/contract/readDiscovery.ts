import { parseContractLock, type ContractLock } from "./contractLock";
import { isRecord } from "./jsonSchema";

/** What a server says about itself. */
export interface Discovery {
  readonly allowList: {
    readonly enabled: boolean;
    readonly tasks: readonly string[];
    readonly events: readonly string[];
    /** What may be listened to; absent where nothing may. */
    readonly subscribable?: readonly string[] | undefined;
  };
  /** Where the server is configured to say it. */
  readonly contract?: DiscoveredContract | undefined;
}

/** What may be relied on, by hashes that change with it. */
export interface DiscoveredContract {
  readonly hash: string;
  /** Hash of each task, by id. */
  readonly tasks: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, string>>;
  /** The schemas themselves, where the server shows them. */
  readonly lock?: ContractLock | undefined;
}

/**
 * Narrows what a server says about itself.
 *
 * @returns `undefined` if it is no discovery
 * @throws {TypeError} it is one, and its contract is none; the message says where
 */
export function readDiscovery(value: unknown): Discovery | undefined {
  const allowList = isRecord(value) ? value["allowList"] : undefined;
  if (!isRecord(value) || !isRecord(allowList)) return undefined;
  if (!isIds(allowList["tasks"]) || !isIds(allowList["events"])) return undefined;
  if (allowList["subscribable"] !== undefined && !isIds(allowList["subscribable"])) return undefined;
  return { allowList, contract: readContract(value["contract"]) } as unknown as Discovery;
}

function readContract(contract: unknown): unknown {
  if (contract === undefined) return undefined;
  if (!isRecord(contract) || typeof contract["hash"] !== "string") throw new TypeError('"contract" has no "hash".');
  const { tasks, events, lock } = contract;
  for (const [name, hashes] of Object.entries({ tasks, events })) {
    if (!isRecord(hashes) || !isIds(Object.values(hashes))) throw new TypeError(`"contract.${name}" holds no hashes.`);
  }
  return lock === undefined ? contract : { ...contract, lock: parseContractLock(lock) };
}

const isIds = (value: unknown): boolean => Array.isArray(value) && value.every((id) => typeof id === "string");
