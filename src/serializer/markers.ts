/** The keys that carry meaning in the two formats. @see readmes/SERIALIZER_PROTOCOL.md */

/** A value of a registered type, in place: `{"__type":"Date","value":"..."}`. Other keys beside these two are ignored. */
export interface TypeRecord {
  readonly __type: string;
  readonly value: unknown;
}

/** Stands for a node of the graph format. */
export interface NodeReference {
  readonly __ref: string;
}

/** The whole text in graph format. `version` is written as 1 and not read. */
export interface GraphPayload {
  readonly __graph: true;
  readonly root: unknown;
  /** By node id; untrusted, so nothing is known about the entries. */
  readonly nodes: Readonly<Record<string, unknown>>;
}

/** Put before a user's key that would be read as a marker; the tree decoder removes one. */
export const escapePrefix = "$runner.escape::";

/** Keys that reach a prototype when assigned or merged by careless code; never written, never read. */
export function isUnsafeKey(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}

/** Whether a key cannot be kept as it is. Runs for every key there is: one character decides nearly always. */
export function isReservedKey(key: string): boolean {
  switch (key.charCodeAt(0)) {
    case 95: // _
      return key === "__proto__";
    case 99: // c
      return key === "constructor";
    case 112: // p
      return key === "prototype";
    case 36: // $
      return key.startsWith(escapePrefix);
    default:
      return false;
  }
}

/** The key a tree decoder makes of a reserved one; `undefined` when it is left out. */
export function readKey(key: string): string | undefined {
  const name = key.startsWith(escapePrefix) ? key.slice(escapePrefix.length) : key;
  return isUnsafeKey(name) ? undefined : name;
}

/** Requires an own `value`, since a lone `__type` is ordinary data. */
export function isTypeRecord(value: object): value is TypeRecord {
  return (
    typeof (value as Partial<TypeRecord>).__type === "string" &&
    Object.hasOwn(value, "value") &&
    Object.hasOwn(value, "__type")
  );
}

/** Only ever true of the outermost object. */
export function isGraphPayload(value: unknown): value is GraphPayload {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { __graph, nodes } = value as Partial<GraphPayload>;
  return (
    __graph === true &&
    typeof nodes === "object" &&
    nodes !== null &&
    ["__graph", "root", "nodes"].every((key) => Object.hasOwn(value, key))
  );
}
