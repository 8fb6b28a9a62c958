/** A piece of a stream as bytes: binary data of any view as it is, text in UTF-8; `undefined` for anything else. */
export function asBytes(piece: unknown): Uint8Array | undefined {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === "string") return new TextEncoder().encode(piece);
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  return piece instanceof ArrayBuffer ? new Uint8Array(piece) : undefined;
}

/** What kind of thing stands where bytes should, with its article: "an object", "a number", "null". */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  const kind = typeof value === "object" ? nameOfClass(value) : typeof value;
  return `${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`;
}

function nameOfClass(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } };
  const name = constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object" ? name : "object";
}
