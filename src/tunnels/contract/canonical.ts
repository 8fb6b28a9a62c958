import { isRecord, maxSchemaDepth, SchemaDepthError } from "./jsonSchema";

/** What documents a schema and allows or refuses no value. */
const annotations = /* @__PURE__ */ new Set([
  "$schema",
  "$id",
  "$comment",
  "title",
  "description",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
]);

/** Keywords whose keys are names that people chose, rather than keywords. */
const nameMaps = /* @__PURE__ */ new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);

/** Whether a keyword documents a schema, and allows or refuses no value. */
export const isAnnotation = (keyword: string): boolean => annotations.has(keyword);

/** A text that is the same for equal values, whatever the order of their keys. @throws {SchemaDepthError} */
export const stableText = (value: unknown): string => textOf(value, 0);

function textOf(value: unknown, depth: number): string {
  if (depth > maxSchemaDepth) throw new SchemaDepthError();
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, depth + 1)).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "null";
  const entries = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${textOf(value[key], depth + 1)}`);
  return `{${entries.join()}}`;
}

/** A schema without its documentation, its sets in one order. @throws {SchemaDepthError} */
export const withoutAnnotations = (schema: unknown): unknown => meaningOf(schema, 0);

function meaningOf(value: unknown, depth: number): unknown {
  if (depth > maxSchemaDepth) throw new SchemaDepthError();
  if (Array.isArray(value)) return value.map((item) => meaningOf(item, depth + 1));
  if (!isRecord(value)) return value;
  const kept: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (annotations.has(key)) continue;
    if (key === "required" && Array.isArray(item)) kept.push([key, [...(item as unknown[])].sort()]);
    // A default or a constant is a value: its keys are data.
    else if (key === "const" || key === "enum" || key === "default") kept.push([key, item]);
    else if (nameMaps.has(key) && isRecord(item)) {
      const named = Object.entries(item).map(([name, schema]) => [name, meaningOf(schema, depth + 2)]);
      kept.push([key, Object.fromEntries(named)]);
    } else kept.push([key, meaningOf(item, depth + 1)]);
  }
  return Object.fromEntries(kept);
}

/** The first 96 bits of SHA-256 of what a value means, as 16 characters of base64url. @throws {SchemaDepthError} */
export async function hashOf(value: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(stableText(withoutAnnotations(value)));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest.subarray(0, 12)))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
