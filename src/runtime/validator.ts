import { validationFailed, type ValidationSubject } from "../errors/runErrors";
import { isThenable } from "../lib/guards";
import { compileSchema, type Schema } from "../lib/schema";

/** Validates, wrapping what the schema throws or rejects with. */
export function validator(schema: Schema, subject: ValidationSubject, id: string): (value: unknown) => unknown {
  const parse = compileSchema(schema);
  const fail = (error: unknown): never => {
    throw validationFailed(subject, id, error);
  };
  return (value) => {
    let parsed: unknown;
    try {
      parsed = parse(value);
    } catch (error) {
      return fail(error);
    }
    return isThenable(parsed) ? parsed.then(undefined, fail) : parsed;
  };
}
