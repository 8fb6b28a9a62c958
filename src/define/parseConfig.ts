import { validationFailed, type ValidationSubject } from "../errors/runErrors";
import { isThenable } from "../lib/guards";
import { compileSchema, type Schema } from "../lib/schema";

/** What is said to somebody who uses an asynchronous schema where nothing can wait for it. */
export const asyncSchemaMessage = "the schema returned a promise; use a synchronous schema";

/**
 * Validates a config at `.with(...)`.
 *
 * @throws {validationError} the schema refused the value, or is asynchronous
 */
export function parseConfig<C>(schema: Schema<C> | undefined, config: C, subject: ValidationSubject, id: string): C {
  if (schema === undefined) return config;
  let parsed: unknown;
  try {
    parsed = compileSchema(schema)(config);
  } catch (error) {
    throw validationFailed(subject, id, error);
  }
  if (isThenable(parsed)) {
    parsed.then(undefined, () => {}); // its failure is beside the point
    throw validationFailed(subject, id, new Error(asyncSchemaMessage));
  }
  return parsed as C;
}
