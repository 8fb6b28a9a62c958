/**
 * Subjects of the protocol, `rt1.<namespace>.<kind>.<id>`. Dots of an id separate the tokens of its subject, so that the
 * permissions of a broker can say `rt1.acme.t.billing.>`.
 */

/** What follows the namespace. */
export const subjectKinds = {
  /** Calls of tasks. */
  task: "t",
  /** Calls of tasks whose contract has a hash, which comes before the id. */
  version: "v",
  /** Emissions that are answered once the hooks are done. */
  emission: "n",
  /** Events that a stream keeps. */
  event: "e",
  /** Events for the processes that listen at the moment. */
  fanout: "f",
  /** Events whose hooks failed too often. */
  dead: "d",
  /** What callers tell a worker of calls under way, by its id: an address cancels, an address and a number grant credit. */
  cancel: "c",
} as const;

/** A name that can be a token of a subject, and part of the names of streams and buckets. */
const namePattern = /^[A-Za-z0-9_-]{1,32}$/;

/** Whether a namespace, group or service has a usable name. */
export const isName = (value: unknown): value is string => typeof value === "string" && namePattern.test(value);

export const namePatternText = "1 to 32 letters, digits, _ and -";

/** `rt1.<namespace>.<kind>.` */
export const subjectPrefix = (namespace: string, kind: keyof typeof subjectKinds): string =>
  `rt1.${namespace}.${subjectKinds[kind]}.`;

/** What comes before the id of a task, for those who serve one version of it. */
export const versionPrefix = (namespace: string, hash: string): string =>
  `${subjectPrefix(namespace, "version")}${hash}.`;

/** Whether a subject is that of one version of a task. */
export const isVersion = (subject: string): boolean => subject.split(".", 3)[2] === subjectKinds.version;

/** The streams of a namespace. */
export const eventStream = (namespace: string): string => `EV_${namespace}`;
export const deadStream = (namespace: string): string => `DLQ_${namespace}`;

/** The name of what one service reads an event by. */
export const consumerName = (service: string, eventId: string): string =>
  `${service}_${escapeId(eventId).replaceAll("_", "%5F").replaceAll(".", "_")}`;

/** What an id is in a subject: whatever a token cannot hold is percent-escaped, byte by byte of its UTF-8. */
export function escapeId(id: string): string {
  if (plainId.test(id)) return id;
  const escaped = id.replace(/[^A-Za-z0-9_.-]+/gu, (text) =>
    Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(
      "",
    ),
  );
  // A token cannot be empty.
  return escaped.replace(/^\.|\.(?=\.)|\.$/g, "%2E");
}

const plainId = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/** The id of a subject without its prefix; `undefined` for what no id is escaped to. */
export function unescapeId(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
