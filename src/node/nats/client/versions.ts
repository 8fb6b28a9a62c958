import { invalid } from "../../../lib/configFields";

/** Hashes of tasks by id: a contract lock, or the contract of a discovery. */
export interface NatsContract {
  readonly tasks: Readonly<Record<string, string | { readonly hash: string }>>;
}

/** @throws {TypeError} it is neither a lock nor a contract; the message names the task */
export function resolveVersions(contract: unknown): ReadonlyMap<string, string> | undefined {
  if (contract === undefined) return undefined;
  const { tasks } = Object(contract) as { tasks?: unknown };
  if (typeof tasks !== "object" || tasks === null) {
    throw invalid("natsClient.contract", "a contract lock, or the contract of a discovery", contract);
  }
  const hashes = Object.entries(tasks).map(([id, entry]: [string, unknown]) => {
    const hash: unknown = typeof entry === "string" ? entry : (Object(entry) as { hash?: unknown }).hash;
    // It becomes a token of a subject.
    if (typeof hash === "string" && /^[A-Za-z0-9_-]{1,128}$/.test(hash)) return [id, hash] as const;
    throw invalid(`natsClient.contract.tasks["${id}"]`, "a hash, or an object with one", entry);
  });
  return new Map(hashes);
}
