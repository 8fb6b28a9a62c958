/** Writes a decoded value in the notation of the vectors: `@1` names an object where it is first met, `#1` repeats it. */
export function describeValue(value: unknown, labels: Map<object, number> = new Map()): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);

  const known = labels.get(value);
  if (known !== undefined) return `#${known}`;
  labels.set(value, labels.size + 1);
  return `@${labels.size} ${describeObject(value, (inner) => describeValue(inner, labels))}`;
}

function describeObject(value: object, describe: (inner: unknown) => string): string {
  const fields = (object: object, colon: string): string =>
    Object.entries(object)
      .map(([key, field]) => `${key}${colon}${describe(field)}`)
      .join(", ");

  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`;
  if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? "Invalid" : value.toISOString()})`;
  if (value instanceof RegExp) return `RegExp(${String(value)})`;
  if (value instanceof Map)
    return `Map{${[...value].map(([key, item]) => `${describe(key)}=>${describe(item)}`).join()}}`;
  if (value instanceof Set) return `Set{${[...value].map(describe).join(", ")}}`;
  if (value instanceof URL) return `URL(${value.href})`;
  if (value instanceof URLSearchParams) return `URLSearchParams(${value.toString()})`;
  if (Buffer.isBuffer(value)) return `Buffer<${value.toString("hex")}>`;
  if (value instanceof Uint8Array) return `Uint8Array[${value.join(",")}]`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer<${Buffer.from(value).toString("hex")}>`;
  if (value instanceof Error) return describeError(value, describe, fields);
  const name = value.constructor === Object ? "" : value.constructor.name;
  return `${name}{${fields(value, ": ")}}`;
}

function describeError(
  error: Error,
  describe: (inner: unknown) => string,
  fields: (object: object, colon: string) => string,
): string {
  const own = Object.getOwnPropertyNames(error).sort().join("|");
  const cause = Object.hasOwn(error, "cause") ? `, cause=${describe(error.cause)}` : "";
  const { name, ...extra } = error;
  const head = `name=${name}, message=${describe(error.message)}, ctor=${error.constructor.name}`;
  return `Error(${head}, own=${own}${cause}; extra={${fields(extra, ":")}})`;
}
