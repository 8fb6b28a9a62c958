import { isThenable } from "./guards";

/**
 * A schema with a `parse` method, as zod's: returns the (possibly transformed) value or throws.
 * The parameter is `any` so that `{ parse: (value) => value }` is a schema of every type.
 */
export interface IValidationSchema<T = any> {
  parse(input: any): T;
}

/** One problem of a failed validation. @see https://standardschema.dev */
export interface StandardSchemaIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** @see https://standardschema.dev */
export interface StandardSchema<T = any, In = any> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: In; readonly output: T } | undefined;
  };
}

/**
 * A schema that states in slots of its own what it makes and what it accepts, as zod's. Reading these costs the checker a
 * fraction of what it costs to infer the same from `parse` and `~standard`.
 */
export interface StatedSchema<T, In> extends StatedOutput<T> {
  readonly _input: In;
}

/** As `StatedSchema`, where only what it makes matters. */
export interface StatedOutput<T> {
  readonly _output: T;
}

/** What is accepted wherever a schema is. `~standard` is used when a schema has both forms: it may be asynchronous. */
export type Schema<T = any, In = any> = IValidationSchema<T> | StandardSchema<T, In>;

/** Thrown when a Standard Schema reports issues; schemas with `parse` alone throw their own errors. */
export class SchemaIssuesError extends Error {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly issues: readonly StandardSchemaIssue[];

  constructor(issues: readonly StandardSchemaIssue[]) {
    super(issues.map(describeIssue).join("; ") || "Invalid value");
    this.name = "SchemaIssuesError";
    this.issues = issues;
  }
}

/** Validates one value; the result is a promise only when the schema is asynchronous. */
export type Parse = (value: unknown) => unknown;

/** Turns either schema form into one function, once. */
export function compileSchema(schema: Schema): Parse {
  const standard = (schema as Partial<StandardSchema>)["~standard"];
  if (typeof standard?.validate !== "function") {
    const withParse = schema as IValidationSchema<unknown>;
    return (value) => withParse.parse(value);
  }
  return (value) => {
    const outcome = standard.validate(value);
    return isThenable(outcome) ? outcome.then(readOutcome) : readOutcome(outcome);
  };
}

/** The message for an asynchronous schema that is used where nothing can wait for it. */
const asyncSchemaMessage = "the schema returned a promise; use a synchronous schema";

/**
 * As `compileSchema`, for places that cannot wait.
 *
 * @param refuse makes the error for a schema that returns a promise
 */
export function compileSyncSchema(schema: Schema, refuse: (cause: Error) => Error = (cause) => cause): Parse {
  const parse = compileSchema(schema);
  return (value) => {
    const parsed = parse(value);
    if (!isThenable(parsed)) return parsed;
    parsed.then(undefined, () => {}); // its failure is beside the point
    throw refuse(new Error(asyncSchemaMessage));
  };
}

/** Whether a value can be used as a schema at all. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const { parse, "~standard": standard } = value as Partial<IValidationSchema & StandardSchema>;
  return typeof parse === "function" || typeof standard?.validate === "function";
}

function describeIssue({ message, path = [] }: StandardSchemaIssue): string {
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
}

function readOutcome(outcome: unknown): unknown {
  const { issues, value } = outcome as { issues?: readonly StandardSchemaIssue[]; value?: unknown };
  if (issues) throw new SchemaIssuesError(issues);
  return value;
}
