import type { ContractChange } from "../../errors/bootErrors";
import { payloadsOf, type ContractLock, type LockedError, type LockedEvent, type LockedTask } from "./contractLock";
import type { JsonSchema } from "./jsonSchema";
import type { Mismatch } from "./mismatch";
import { findMismatches } from "./schemaSubset";

export type ChangeLevel = ContractChange["level"];

/** Compares what two contracts promise. @returns nothing if they are the same, but for their documentation */
export function diffContracts(older: ContractLock, newer: ContractLock): readonly ContractChange[] {
  return [
    ...diffEntries("task", older.tasks, newer.tasks, diffTask),
    ...diffEntries("event", older.events, newer.events, diffEvent),
  ];
}

/** The worst of all changes. */
export const worstOf = (changes: readonly ContractChange[]): ChangeLevel | "same" =>
  (["breaking", "unknown", "addition"] as const).find((level) => changes.some((change) => change.level === level)) ??
  "same";

type Finding = Pick<ContractChange, "level" | "message">;

function diffEntries<T extends { readonly hash: string }>(
  kind: ContractChange["kind"],
  older: Readonly<Record<string, T>>,
  newer: Readonly<Record<string, T>>,
  diff: (older: T, newer: T) => readonly Finding[],
): readonly ContractChange[] {
  const changes: ContractChange[] = [];
  const add = (id: string, found: readonly Finding[]): void => {
    for (const finding of found) changes.push({ ...finding, kind, id });
  };
  for (const [id, before] of Object.entries(older)) {
    const after = Object.hasOwn(newer, id) ? newer[id] : undefined;
    if (after === undefined) add(id, [{ level: "breaking", message: "removed" }]);
    else if (after.hash !== before.hash) {
      const found = diff(before, after);
      add(id, found.length > 0 ? found : [{ level: "addition", message: "changed in a way that callers do not see" }]);
    }
  }
  for (const id of Object.keys(newer)) {
    if (!Object.hasOwn(older, id)) add(id, [{ level: "addition", message: "added" }]);
  }
  return changes;
}

function diffTask(older: LockedTask, newer: LockedTask): readonly Finding[] {
  return [
    ...given("input", older.input, newer.input),
    ...gotten("result", older.result, newer.result),
    ...(turned(older.items, newer.items, "streams its items") ?? gotten("item", older.items, newer.items)),
    ...(turned(older.itemInput, newer.itemInput, "takes items") ??
      given("item of the caller", older.itemInput, newer.itemInput)),
    ...newer.throws
      .filter((id) => !older.throws.includes(id))
      .map((id) => ({ level: "addition", message: `may fail with ${id}` }) as const),
    ...newer.throws.filter((id) => older.throws.includes(id)).flatMap((id) => diffError(id, older, newer)),
  ];
}

function diffError(id: string, older: LockedTask, newer: LockedTask): readonly Finding[] {
  const { data: before, httpCode: statusBefore = 500 } = knownOf(id, older);
  const { data: after, httpCode: status = 500 } = knownOf(id, newer);
  const found = gotten(`data of ${id}`, before, after);
  // Where nothing is known of any error, the lock may be of a version that did not write it.
  if (older.errors === undefined || statusBefore === status) return found;
  return [...found, { level: "unknown", message: `status of ${id}: ${statusBefore} -> ${status}` }];
}

function diffEvent(older: LockedEvent, newer: LockedEvent): readonly Finding[] {
  const before = payloadsOf(older);
  const after = payloadsOf(newer);
  return [
    ...(permitted(before.emit, after.emit, "emitted") ?? given("payload", before.emit, after.emit)),
    ...(permitted(before.subscribe, after.subscribe, "listened to") ??
      gotten("heard payload", before.subscribe, after.subscribe)),
  ];
}

/** What callers may do with an event, and could not, is an addition. */
function permitted(older: JsonSchema | undefined, newer: JsonSchema | undefined, what: string): Finding[] | undefined {
  if ((older === undefined) === (newer === undefined)) return undefined;
  if (older === undefined) return [{ level: "addition", message: `may be ${what} now` }];
  return [{ level: "breaking", message: `may no longer be ${what}` }];
}

const knownOf = (id: string, { errors = {} }: LockedTask): LockedError =>
  Object.hasOwn(errors, id) ? (errors[id] as LockedError) : {};

/** A task that streams or takes items is called in another way than one that does not. */
function turned(older: JsonSchema | undefined, newer: JsonSchema | undefined, what: string): Finding[] | undefined {
  if ((older === undefined) === (newer === undefined)) return undefined;
  return [{ level: "breaking", message: older === undefined ? `${what} now` : `${what} no longer` }];
}

/** The newer side must accept everything that the older one accepted. Without a schema it accepts everything. */
const given = (name: string, older: JsonSchema = true, newer: JsonSchema = true): readonly Finding[] =>
  toFindings(name, findMismatches({ narrow: older, wide: newer, areResults: false }));

/** The newer side must promise everything that the older one promised. Without a schema it promises nothing. */
const gotten = (name: string, older: JsonSchema = true, newer: JsonSchema = true): readonly Finding[] =>
  toFindings(name, findMismatches({ narrow: newer, wide: older, areResults: true }));

/** Alternatives may be different in the same way. */
const toFindings = (name: string, mismatches: readonly Mismatch[]): readonly Finding[] => {
  const levels = new Map<string, ChangeLevel>();
  for (const { path, message, isUnknown } of mismatches) {
    levels.set(`${name} ${path}: ${message}`, isUnknown ? "unknown" : "breaking");
  }
  return [...levels].map(([message, level]) => ({ level, message }));
};
