import { isJsonSchema, isRecord, runnerKeyword, type JsonSchema } from "../../../tunnels/contract/jsonSchema";

/** How deep a type is written out. */
const maxDepth = 3;
const maxMembers = 12;

/** A schema as a reader of TypeScript writes it, on one line; what is deep is cut to its kind. */
export const nameType = (schema: JsonSchema | undefined): string => nameAt(schema, 0);

function nameAt(schema: JsonSchema | undefined, depth: number): string {
  if (schema === undefined || typeof schema === "boolean") return "any";
  const { [runnerKeyword]: type, const: constant, enum: values, anyOf, oneOf, $ref } = schema;
  if (type === "unknown") return "unknown";
  if (typeof type === "string") return type.toLowerCase() === "bigint" ? "bigint" : type;
  if (typeof $ref === "string") return $ref.split("/").at(-1) || "this";
  if ("const" in schema) return JSON.stringify(constant);
  if (Array.isArray(values)) return join((values as unknown[]).map((value) => JSON.stringify(value)));
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return join(choices.filter(isJsonSchema).map((each) => nameAt(each, depth)));
  if (Array.isArray(schema["type"])) return join((schema["type"] as unknown[]).map(String));
  switch (schema["type"]) {
    case "object":
      return nameObject(schema, depth);
    case "array":
      return nameList(schema, depth);
    case "integer":
      return "number";
    default:
      return typeof schema["type"] === "string" ? schema["type"] : "any";
  }
}

function nameObject(schema: Readonly<Record<string, unknown>>, depth: number): string {
  const { properties, additionalProperties, required } = schema;
  const names = isRecord(properties) ? Object.keys(properties) : [];
  if (names.length === 0) {
    const values = isJsonSchema(additionalProperties) ? nameAt(additionalProperties, depth + 1) : "any";
    return additionalProperties === false ? "{}" : `Record<string, ${values}>`;
  }
  if (depth >= maxDepth) return "{ … }";
  const always = new Set(Array.isArray(required) ? (required as unknown[]) : []);
  const members = names.slice(0, maxMembers).map((name) => {
    const member = (properties as Record<string, unknown>)[name];
    const type = nameAt(isJsonSchema(member) ? member : undefined, depth + 1);
    return `${name}${always.has(name) ? "" : "?"}: ${type}`;
  });
  return `{ ${[...members, ...(names.length > maxMembers ? ["…"] : [])].join(", ")} }`;
}

function nameList({ items, prefixItems }: Readonly<Record<string, unknown>>, depth: number): string {
  if (Array.isArray(prefixItems)) {
    return `[${prefixItems
      .filter(isJsonSchema)
      .map((each) => nameAt(each, depth + 1))
      .join(", ")}]`;
  }
  const item = nameAt(isJsonSchema(items) ? items : undefined, depth + 1);
  return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
}

const join = (names: readonly string[]): string => [...new Set(names)].slice(0, maxMembers).join(" | ");
