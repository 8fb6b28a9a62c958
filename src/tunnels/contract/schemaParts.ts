import { isAnnotation } from "./canonical";
import { isJsonSchema, isRecord, runnerKeyword, type JsonSchema } from "./jsonSchema";

/** A schema that is no boolean. */
export type Keywords = Readonly<Record<string, unknown>>;

/** Say nothing of a value by themselves. */
const silentKeywords: readonly string[] = ["default", "$defs", "definitions"];

/** The keywords that allow or refuse values. */
const meantBy = (schema: Keywords): readonly string[] =>
  Object.keys(schema).filter((key) => !isAnnotation(key) && !silentKeywords.includes(key));

export const allowsAll = (schema: JsonSchema): boolean =>
  schema === true || (typeof schema === "object" && meantBy(schema).length === 0);

export const isReference = (schema: JsonSchema): schema is { readonly $ref: string } =>
  typeof schema === "object" && typeof schema["$ref"] === "string";

/** @returns `undefined` for a reference to another document */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  let current: JsonSchema = schema;
  for (let hops = 0; isReference(current); hops += 1) {
    const { $ref, ...beside } = current;
    if (!$ref.startsWith("#") || hops > 20) return undefined;
    const target = follow($ref, root);
    if (target === undefined) return undefined;
    // Keywords beside a reference hold as well, since draft 2019-09.
    current = meantBy(beside).length === 0 ? target : { allOf: [target, beside] };
  }
  return current;
}

function follow(reference: string, root: JsonSchema): JsonSchema | undefined {
  let found: unknown = root;
  for (const part of reference.slice(1).split("/").slice(1)) {
    const name = decoded(part)?.replaceAll("~1", "/").replaceAll("~0", "~");
    if (name === undefined) return undefined;
    if (!isRecord(found) && !Array.isArray(found)) return undefined;
    if (!Object.hasOwn(found, name)) return undefined;
    found = (found as Keywords)[name];
  }
  return isJsonSchema(found) ? found : undefined;
}

/** A part of a reference, RFC 6901 section 6. @returns `undefined` where its percent-encoding is broken */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** Each value of a schema is one of these, if it is made of alternatives. */
export function alternativesOf(schema: Keywords): readonly JsonSchema[] | undefined {
  for (const keyword of ["anyOf", "oneOf"] as const) {
    const choices = schemasOf(schema[keyword]);
    if (choices === undefined) continue;
    const { [keyword]: _choices, ...rest } = schema;
    return meantBy(rest).length === 0 ? choices : choices.map((each) => ({ allOf: [each, rest] }));
  }
  const { type, enum: values, ...rest } = schema;
  if (Array.isArray(values)) return (values as unknown[]).map((each) => ({ ...rest, const: each }));
  return Array.isArray(type) ? (type as unknown[]).map((each) => ({ ...schema, type: each })) : undefined;
}

export const schemasOf = (value: unknown): readonly JsonSchema[] | undefined =>
  Array.isArray(value) ? (value as unknown[]).filter(isJsonSchema) : undefined;

export const propertiesOf = (schema: Keywords): ReadonlyMap<string, JsonSchema> =>
  new Map(
    isRecord(schema["properties"])
      ? Object.entries(schema["properties"]).filter((entry): entry is [string, JsonSchema] => isJsonSchema(entry[1]))
      : [],
  );

export const namesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? (value as unknown[]).filter((name) => typeof name === "string") : [];

export const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

export function typeOf(schema: Keywords): unknown {
  if (!("const" in schema)) return schema["type"];
  const value = schema["const"];
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

export function nameOf(schema: Keywords): string {
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const name = schema[runnerKeyword] ?? schema["type"];
  return typeof name === "string" ? name : "any";
}
