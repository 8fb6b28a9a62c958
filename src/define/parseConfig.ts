import { validationFailed, type ValidationSubject } from "../errors/runErrors";
import { compileSyncSchema, type Schema } from "../lib/schema";

/**
 * Validates a config at `.with(...)`.
 *
 * @throws {validationError} the schema refused the value, or is asynchronous
 */
export function parseConfig<C>(schema: Schema<C> | undefined, config: C, subject: ValidationSubject, id: string): C {
  if (schema === undefined) return config;
  try {
    return compileSyncSchema(schema)(config) as C;
  } catch (error) {
    throw validationFailed(subject, id, error);
  }
}
