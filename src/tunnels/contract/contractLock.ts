import type { Schema } from "../../lib/schema";
import { hashOf } from "./canonical";
import { describeSchema, type SchemaSide } from "./describeSchema";
import { isJsonSchema, isRecord, maxSchemaDepth, type JsonSchema } from "./jsonSchema";

/** What a caller may rely on, as data: shapes by id. Where a schema was not given, the key is absent. */
export interface ContractLock {
  /** Version of this format. */
  readonly lock: 1;
  /** Of all hashes below: equal locks have equal hashes, whatever their documentation says. */
  readonly hash: string;
  readonly tasks: Readonly<Record<string, LockedTask>>;
  readonly events: Readonly<Record<string, LockedEvent>>;
}

export interface LockedTask {
  /** What callers give. */
  readonly input?: JsonSchema;
  /** What they get. */
  readonly result?: JsonSchema;
  /** Each item of a task that streams; `true` where a schema was not given. Its absence says that the task does not stream. */
  readonly items?: JsonSchema;
  /** Each item that a task takes beside its input; as `items`. */
  readonly itemInput?: JsonSchema;
  /** Ids of declared errors, sorted. */
  readonly throws: readonly string[];
  readonly hash: string;
}

export interface LockedEvent {
  readonly payload?: JsonSchema;
  readonly hash: string;
}

/** What can be reached, as its definitions say. */
export interface ContractSource {
  readonly tasks: Iterable<{
    readonly id: string;
    readonly inputSchema?: Schema | undefined;
    readonly resultSchema?: Schema | undefined;
    readonly itemSchema?: Schema | undefined;
    readonly streams?: true | undefined;
    readonly itemInputSchema?: Schema | undefined;
    readonly takesItems?: true | undefined;
    readonly throws?: readonly string[] | undefined;
  }>;
  readonly events: Iterable<{ readonly id: string; readonly payloadSchema?: Schema | undefined }>;
}

/** Describes everything that can be reached, in the order of ids. */
export async function lockContract({ tasks, events }: ContractSource): Promise<ContractLock> {
  const lockedTasks: Record<string, LockedTask> = Object.create(null) as Record<string, LockedTask>;
  const lockedEvents: Record<string, LockedEvent> = Object.create(null) as Record<string, LockedEvent>;
  for (const task of inOrder(tasks)) {
    const { id, inputSchema, resultSchema, itemSchema, itemInputSchema, throws = [] } = task;
    const described = {
      ...(inputSchema !== undefined && { input: describeSchema(inputSchema, "input") }),
      ...(resultSchema !== undefined && { result: describeSchema(resultSchema, "output") }),
      ...((task.streams || itemSchema !== undefined) && { items: itemsOf(itemSchema, "output") }),
      ...((task.takesItems || itemInputSchema !== undefined) && { itemInput: itemsOf(itemInputSchema, "input") }),
      throws: [...new Set(throws)].sort(),
    };
    lockedTasks[id] = { ...described, hash: await hashOf(described) };
  }
  for (const { id, payloadSchema } of inOrder(events)) {
    const described = payloadSchema === undefined ? {} : { payload: describeSchema(payloadSchema, "input") };
    lockedEvents[id] = { ...described, hash: await hashOf(described) };
  }
  const hash = await hashOf([hashesOf(lockedTasks), hashesOf(lockedEvents)]);
  return { lock: 1, hash, tasks: lockedTasks, events: lockedEvents };
}

const itemsOf = (schema: Schema | undefined, side: SchemaSide): JsonSchema =>
  schema === undefined || describeSchema(schema, side);

/** The hash of each id. */
export const hashesOf = (entries: Readonly<Record<string, { readonly hash: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(entries).map(([id, { hash }]) => [id, hash]));

/** The text of a lock file, its keys sorted, so that version control shows what changed and nothing else. */
export const printContractLock = (lock: ContractLock): string => `${JSON.stringify(sorted(lock), undefined, 2)}\n`;

/**
 * Narrows what came out of a lock file or a reply.
 *
 * @throws {TypeError} it is no lock; the message says where
 */
export function parseContractLock(value: unknown): ContractLock {
  if (!isRecord(value) || value["lock"] !== 1) throw new TypeError('It is no contract lock: "lock": 1 is missing.');
  const { hash, tasks, events } = value;
  if (typeof hash !== "string") throw new TypeError('"hash" is no text.');
  if (!isRecord(tasks)) throw new TypeError('"tasks" is no object.');
  if (!isRecord(events)) throw new TypeError('"events" is no object.');
  assertDepth(value, 0);
  for (const [id, entry] of Object.entries(tasks))
    assertEntry(`tasks["${id}"]`, entry, ["input", "result", "items", "itemInput"]);
  for (const [id, entry] of Object.entries(events)) assertEntry(`events["${id}"]`, entry, ["payload"]);
  return value as unknown as ContractLock;
}

function assertEntry(name: string, entry: unknown, schemas: readonly string[]): void {
  if (!isRecord(entry) || typeof entry["hash"] !== "string") throw new TypeError(`${name} has no "hash".`);
  for (const key of schemas) {
    if (entry[key] !== undefined && !isJsonSchema(entry[key])) throw new TypeError(`${name}.${key} is no JSON Schema.`);
  }
  if (schemas.length === 1) return;
  const { throws } = entry;
  if (!Array.isArray(throws) || !throws.every((id) => typeof id === "string")) {
    throw new TypeError(`${name}.throws is no list of error ids.`);
  }
}

/** What follows may walk the value by recursion. */
function assertDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > maxSchemaDepth) throw new TypeError(`It is nested deeper than ${maxSchemaDepth} levels.`);
  for (const item of Object.values(value)) assertDepth(item, depth + 1);
}

const inOrder = <T extends { readonly id: string }>(items: Iterable<T>): readonly T[] =>
  [...items].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const entries = Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key])] as const);
  return Object.fromEntries(entries);
}
