import { invalidDefinitionError } from "../errors/bootErrors";
import { isSchema } from "../lib/schema";

/** @throws {invalidDefinitionError} something was given that cannot validate */
export function assertSchema(kind: string, id: string, field: string, schema: unknown): void {
  if (schema === undefined || isSchema(schema)) return;
  const expected = "an object with parse(value), or a Standard Schema";
  const fix =
    typeof schema === "function" && "~standard" in schema
      ? "it describes, and does not validate: of effect, Schema.toStandardJSONSchemaV1(Schema.toStandardSchemaV1(schema))"
      : undefined;
  throw invalidDefinitionError.create({
    kind,
    id,
    field,
    expected,
    received: schema,
    ...(fix !== undefined && { fix }),
  });
}
