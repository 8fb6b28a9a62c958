import { invalidDefinitionError } from "../errors/bootErrors";
import { isSchema } from "../lib/schema";

/** @throws {invalidDefinitionError} something was given that cannot validate */
export function assertSchema(kind: string, id: string, field: string, schema: unknown): void {
  if (schema === undefined || isSchema(schema)) return;
  const expected = "an object with parse(value), or a Standard Schema";
  // As effect's that only describe.
  const fix = typeof schema === "function" &&
    "~standard" in schema && { fix: "wrap it in Schema.toStandardSchemaV1 first" };
  throw invalidDefinitionError.create({ kind, id, field, expected, received: schema, ...fix });
}
