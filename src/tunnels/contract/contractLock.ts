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
  /** What is known of them, by id: of those that the server has registered and says more about than their id. */
  readonly errors?: Readonly<Record<string, LockedError>>;
  readonly hash: string;
}

export interface LockedError {
  readonly data?: JsonSchema;
  /** Where its helper states one. */
  readonly httpCode?: number;
}

/** What callers may do with an event. */
export type EventAccess = "emit" | "subscribe";

export interface LockedEvent {
  /** What callers emit; what their subscriptions give, where they may only subscribe. */
  readonly payload?: JsonSchema;
  /** What subscriptions give of an event that callers may emit as well: the payload with its defaults, transforms applied. */
  readonly heard?: JsonSchema;
  /** Absent where they may emit alone. */
  readonly access?: readonly EventAccess[];
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
  /** What may be emitted. */
  readonly events: Iterable<DescribedEvent>;
  /** What may be listened to. Default: nothing. */
  readonly subscribable?: Iterable<DescribedEvent> | undefined;
  /** What declared errors are made by, by id: an error that is not among them crosses without its data. Default: none. */
  readonly errors?: DescribedErrors | undefined;
}

/** Error helpers by id. */
export type DescribedErrors = ReadonlyMap<
  string,
  { readonly dataSchema?: Schema | undefined; readonly httpCode?: number | undefined }
>;

interface DescribedEvent {
  readonly id: string;
  readonly payloadSchema?: Schema | undefined;
}

/** Describes everything that can be reached, in the order of ids. */
export async function lockContract(source: ContractSource): Promise<ContractLock> {
  const { tasks, events, subscribable = [], errors } = source;
  const lockedTasks: Record<string, LockedTask> = Object.create(null) as Record<string, LockedTask>;
  const lockedEvents: Record<string, LockedEvent> = Object.create(null) as Record<string, LockedEvent>;
  for (const task of inOrder(tasks)) {
    const { id, inputSchema, resultSchema, itemSchema, itemInputSchema, throws = [] } = task;
    const declared = [...new Set(throws)].sort();
    const known = describeErrors(declared, errors);
    const described = {
      ...(inputSchema !== undefined && { input: describeSchema(inputSchema, "input") }),
      ...(resultSchema !== undefined && { result: describeSchema(resultSchema, "output") }),
      ...((task.streams || itemSchema !== undefined) && { items: itemsOf(itemSchema, "output") }),
      ...((task.takesItems || itemInputSchema !== undefined) && { itemInput: itemsOf(itemInputSchema, "input") }),
      throws: declared,
      ...(known !== undefined && { errors: known }),
    };
    lockedTasks[id] = { ...described, hash: await hashOf(described) };
  }
  const emitted = new Set([...events].map(({ id }) => id));
  const heard = new Set([...subscribable].map(({ id }) => id));
  const all = new Map([...events, ...subscribable].map((event) => [event.id, event]));
  for (const event of inOrder(all.values())) {
    const described = describeEvent(event, { emit: emitted.has(event.id), subscribe: heard.has(event.id) });
    lockedEvents[event.id] = { ...described, hash: await hashOf(described) };
  }
  const hash = await hashOf([hashesOf(lockedTasks), hashesOf(lockedEvents)]);
  return { lock: 1, hash, tasks: lockedTasks, events: lockedEvents };
}

function describeErrors(
  ids: readonly string[],
  errors: DescribedErrors = new Map(),
): Readonly<Record<string, LockedError>> | undefined {
  const described = ids.flatMap((id) => {
    const { dataSchema, httpCode } = errors.get(id) ?? {};
    if (dataSchema === undefined && httpCode === undefined) return [];
    const data = dataSchema && describeSchema(dataSchema, "output");
    return [[id, { ...(data !== undefined && { data }), ...(httpCode !== undefined && { httpCode }) }] as const];
  });
  return described.length === 0 ? undefined : Object.fromEntries(described);
}

function describeEvent(
  { payloadSchema }: DescribedEvent,
  may: Readonly<Record<EventAccess, boolean>>,
): Omit<LockedEvent, "hash"> {
  const payload = payloadSchema && describeSchema(payloadSchema, may.emit ? "input" : "output");
  const heard = payloadSchema && may.emit && may.subscribe ? describeSchema(payloadSchema, "output") : undefined;
  return {
    ...(payload !== undefined && { payload }),
    ...(heard !== undefined && { heard }),
    ...(may.subscribe && { access: eventAccesses.filter((access) => may[access]) }),
  };
}

/** In the order of lock files. */
const eventAccesses: readonly EventAccess[] = ["emit", "subscribe"];

/** What a payload is to callers, by what they may do with the event; `undefined` where they may not do it. */
export function payloadsOf({
  payload = true,
  heard = payload,
  access = ["emit"],
}: LockedEvent): Readonly<Record<EventAccess, JsonSchema | undefined>> {
  return {
    emit: access.includes("emit") ? payload : undefined,
    subscribe: access.includes("subscribe") ? heard : undefined,
  };
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
  for (const [id, entry] of Object.entries(tasks)) {
    const name = `tasks["${id}"]`;
    const { throws, errors = {} } = entryOf(name, entry, ["input", "result", "items", "itemInput"]);
    if (!Array.isArray(throws) || !throws.every((error) => typeof error === "string")) {
      throw new TypeError(`${name}.throws is no list of error ids.`);
    }
    if (!isRecord(errors)) throw new TypeError(`${name}.errors is no object.`);
    for (const [error, known] of Object.entries(errors)) assertError(`${name}.errors["${error}"]`, known);
  }
  for (const [id, entry] of Object.entries(events)) {
    const { access = ["emit"] } = entryOf(`events["${id}"]`, entry, ["payload", "heard"]);
    if (!Array.isArray(access) || access.length === 0 || !access.every((each) => isEventAccess(each))) {
      throw new TypeError(`events["${id}"].access is no list of "emit" and "subscribe".`);
    }
  }
  return value as unknown as ContractLock;
}

function assertError(name: string, known: unknown): void {
  if (!isRecord(known)) throw new TypeError(`${name} is no object.`);
  const { data, httpCode } = known;
  if (data !== undefined && !isJsonSchema(data)) throw new TypeError(`${name}.data is no JSON Schema.`);
  if (
    httpCode === undefined ||
    (Number.isInteger(httpCode) && (httpCode as number) >= 100 && (httpCode as number) < 600)
  )
    return;
  throw new TypeError(`${name}.httpCode is no HTTP status.`);
}

const isEventAccess = (value: unknown): boolean => eventAccesses.includes(value as EventAccess);

/** @throws {TypeError} it is no entry, or a schema of it is none */
function entryOf(name: string, entry: unknown, schemas: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isRecord(entry) || typeof entry["hash"] !== "string") throw new TypeError(`${name} has no "hash".`);
  for (const key of schemas) {
    if (entry[key] !== undefined && !isJsonSchema(entry[key])) throw new TypeError(`${name}.${key} is no JSON Schema.`);
  }
  return entry;
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
