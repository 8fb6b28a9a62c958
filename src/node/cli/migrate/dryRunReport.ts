import type { ContractLock } from "../../../tunnels/contract/contractLock";
import type { Finding } from "./finding";

/** What the process that loads an entry is given. */
export interface DryRunTask {
  /** Absolute path of the file to load. */
  readonly entry: string;
  /** Whether it is loaded by `require`, as the hooks of some TypeScript loaders demand. */
  readonly byRequire: boolean;
  /** The export to take as the root, where one was named. */
  readonly exportName?: string;
  /** Names that the sources import as values, and that this version lacks. They are `undefined` while the entry loads. */
  readonly missingNames: readonly string[];
  /** What its root opens to callers is wanted, instead of what keeps it from this version. */
  readonly wantsContract?: boolean;
  /** Absolute path of the file to write the report to. */
  readonly reportFile: string;
}

/** What it found. */
export interface DryRunReport {
  readonly roots: readonly {
    readonly id: string;
    /** How it was found: given to `run`, or the name of an export. */
    readonly from: string;
  }[];
  /** Ids of everything that is registered in one of the roots. */
  readonly ids: readonly string[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  /** Where it was wanted. */
  readonly contract?: ContractLock;
  /** Why no root was examined; the command was not given what it needs. */
  readonly refusal?: string;
}
