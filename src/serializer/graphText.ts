/** The parsed text of a value with shared structure, for tools that look at it. @see readmes/SERIALIZER_PROTOCOL.md */

export type JsonPrimitive = string | number | boolean | null;

/** Points at a node of the same text. */
export interface ObjectReference {
  readonly __ref: string;
}

/** A value of a registered type, such as a date. */
export interface SerializedTypeRecord {
  readonly __type: string;
  readonly value: SerializedValue;
}

/** One object, array or typed value that others may point at. */
export type SerializedNode =
  | { readonly kind: "object"; readonly value: Readonly<Record<string, SerializedValue>> }
  | { readonly kind: "array"; readonly value: readonly SerializedValue[] }
  | { readonly kind: "type"; readonly type: string; readonly value: SerializedValue };

/** Whatever may stand in the text. */
export type SerializedValue =
  | JsonPrimitive
  | ObjectReference
  | SerializedTypeRecord
  | SerializedNode
  | readonly SerializedValue[]
  | { readonly [key: string]: SerializedValue };

/** What 5.x kept while it wrote a value; named in annotations only. */
export interface SerializationContext {
  readonly nodes: Readonly<Record<string, SerializedNode>>;
}

/** What 5.x kept while it read a text; named in annotations only. */
export interface DeserializationContext {
  readonly nodes: Readonly<Record<string, SerializedNode>>;
}
