/** A JSON Schema of draft 2020-12. `true` allows every value, `false` none. */
export type JsonSchema = boolean | JsonSchemaObject;

export interface JsonSchemaObject {
  readonly [keyword: string]: unknown;
}

/** Names what JSON Schema has no word for: a type of the serializer, or `unknown` where a schema cannot be described. */
export const runnerKeyword = "x-runner";

/** How deep schemas and lock files are followed. */
export const maxSchemaDepth = 200;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isJsonSchema = (value: unknown): value is JsonSchema => typeof value === "boolean" || isRecord(value);

/** Nested deeper than any schema that people write. */
export class SchemaDepthError extends Error {
  override name: string;

  constructor() {
    super(
      `The schema is nested deeper than ${maxSchemaDepth} levels, which is not compared. Use "$ref" for recursion.`,
    );
    this.name = "SchemaDepthError";
  }
}
