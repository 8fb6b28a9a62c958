import { describeGiven } from "../lib/describeValue";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { optional, type Injectable, type IOptionalDependency, type Unbuilt } from "../lib/injectable";
import type { IdSlot } from "../lib/idSlot";
import { compileSyncSchema, type Schema } from "../lib/schema";
import { symbolError, symbolErrorInstance, symbolFilePath } from "../lib/symbols";
import type { IsAny } from "../lib/typeLevel";

/** Error data that nothing more is said about. */
export type DefaultErrorType = Record<string, unknown>;

/** Free-form documentation of an error definition; open for declaration merging. */
export interface IErrorMeta {
  title?: string | undefined;
  description?: string | undefined;
}

/** An error thrown by an error helper: `id` is the helper's id, and so is `name`, but for some errors of the framework. */
export type RunnerError<Data = any> = Error & {
  readonly id: string;
  readonly data: Data;
  /** HTTP status of an exposure's reply, when the helper states one. */
  readonly httpCode?: number | undefined;
};

/** What an error helper is made from. */
export interface IErrorDefinition<Data = any> {
  readonly id: string;
  /** Message of an instance. Default: the data as JSON. */
  readonly format?: ((data: Data) => string) | undefined;
  /** Validates and may transform the data when an instance is made; its errors surface as they are. */
  readonly dataSchema?: Schema<Data> | undefined;
  readonly serialize?: ((data: Data) => string) | undefined;
  readonly parse?: ((raw: string) => Data) | undefined;
  /** HTTP status (100-599) of an exposure's reply. Default 500. */
  readonly httpCode?: number | undefined;
  readonly meta?: IErrorMeta | undefined;
}

/** A typed, throwable error; register it to inject it and to let it cross tunnels. */
export interface IErrorHelper<Data = any, Id extends string = string> extends Injectable {
  readonly kind: "error";
  readonly id: string;
  readonly meta: IErrorMeta;
  readonly httpCode?: number | undefined;
  readonly dataSchema?: Schema | undefined;
  readonly [symbolError]: true;
  readonly [symbolFilePath]: string;
  /** Makes an instance without throwing it. */
  create(data: Data, options?: ErrorOptions): RunnerError<Data>;
  throw(data: Data, options?: ErrorOptions): never;
  /** Holds for instances made by any helper of this id, in any copy of the package. */
  is(error: unknown): error is RunnerError<Data>;
  optional(): IOptionalDependency<this>;
  readonly $id?: IdSlot<Id>;
  readonly $injects?: readonly [this];
  readonly $injectsInResource?: readonly [unknown];
}

/** What a schema may say of data that nothing was said about before, or else has to agree with. */
export type DataBound<Data> = DefaultErrorType extends Data ? object : Data;

/** Fluent form of `IErrorDefinition`; every method returns a new builder. */
export interface ErrorFluentBuilder<
  Data extends object = DefaultErrorType,
  Id extends string = string,
> extends Unbuilt {
  readonly id: Id;
  format(format: (data: Data) => string): ErrorFluentBuilder<Data, Id>;
  /** Validates, and may transform, the data; gives it its type, unless `r.error<Data>` does. */
  dataSchema<N extends DataBound<Data>>(schema: Schema<N>): ErrorFluentBuilder<IsAny<N> extends true ? Data : N, Id>;
  serialize(serialize: (data: Data) => string): ErrorFluentBuilder<Data, Id>;
  parse(parse: (raw: string) => Data): ErrorFluentBuilder<Data, Id>;
  /** HTTP status (integer, 100-599) of an exposure's reply when a task throws this error. */
  httpCode(status: number): ErrorFluentBuilder<Data, Id>;
  meta<M extends IErrorMeta>(meta: M): ErrorFluentBuilder<Data, Id>;
  build(): IErrorHelper<Data, Id>;
}

/**
 * Starts an error. Its id is part of the type, so that callers of a task that `.throws` it can tell it apart; not so where
 * the type of the data is written out, since TypeScript infers no other type argument then.
 */
export interface ErrorStarter {
  <Data extends DefaultErrorType, Id extends string>(id: Id): ErrorFluentBuilder<Data, Id>;
  <Data extends object>(id: string): ErrorFluentBuilder<Data>;
}

/** Makes one instance; the brand makes `helper.is` hold across package copies. */
export type ErrorConstructorFn<Data> = (message: string, data: Data, options: ErrorOptions | undefined) => Error;

/** The error class of every helper that does not bring its own. */
class HelperError<Data> extends Error {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly id: string;
  readonly data: Data;
  declare readonly httpCode?: number;

  constructor(id: string, message: string, data: Data, options: ErrorOptions | undefined) {
    super(message, options);
    this.name = id;
    this.id = id;
    this.data = data;
    // In the constructor: bundlers keep a class with a computed key, used or not.
    Object.defineProperty(this, symbolErrorInstance, { value: true });
  }
}

/** Whether a value was thrown by an error helper, of whatever id. */
export function isRunnerError(value: unknown): value is RunnerError {
  return typeof value === "object" && value !== null && symbolErrorInstance in value;
}

/** Id of the helper that made an error. Some errors of the framework keep the name that they had in 5.x. */
export const helperIdOf = ({ id, name }: { readonly id?: string; readonly name: string }): string => id ?? name;

export const isErrorHelper = (value: unknown): value is IErrorHelper =>
  typeof value === "object" && value !== null && symbolError in value;

/**
 * Makes an error helper, or starts a builder when given only an id.
 *
 * @throws {Error} the id is not a non-empty string, or `httpCode` is not an integer from 100 to 599
 */
export function defineError<Data extends object = DefaultErrorType>(
  definition: IErrorDefinition<Data>,
): IErrorHelper<Data>;
export function defineError<Data extends object = DefaultErrorType>(id: string): ErrorFluentBuilder<Data>;
export function defineError(
  idOrDefinition: string | IErrorDefinition,
): IErrorHelper | ErrorFluentBuilder<DefaultErrorType> {
  const filePath = captureFilePath(defineError);
  return typeof idOrDefinition === "string"
    ? errorBuilder({ id: idOrDefinition }, filePath)
    : createErrorHelper(idOrDefinition, filePath);
}

/** The builder behind `r.error`. */
export function errorBuilder<Data extends object>(
  definition: IErrorDefinition<Data>,
  filePath: FilePath,
): ErrorFluentBuilder<Data> {
  const at = (patch: Partial<IErrorDefinition>) => errorBuilder({ ...definition, ...patch }, filePath);
  const builder: unknown = Object.freeze({
    id: definition.id,
    format: (format: IErrorDefinition["format"]) => at({ format }),
    dataSchema: (dataSchema: Schema) => at({ dataSchema }),
    serialize: (serialize: IErrorDefinition["serialize"]) => at({ serialize }),
    parse: (parse: (raw: string) => unknown) => at({ parse }),
    httpCode: (httpCode: number) => at({ httpCode }),
    meta: (meta: IErrorMeta) => at({ meta }),
    build: () => createErrorHelper(definition, filePath),
  });
  return builder as ErrorFluentBuilder<Data>; // the types exist only for the checker
}

/** What errors of the catalogues may have of their own. */
interface InstanceTraits<Data> {
  readonly construct?: ErrorConstructorFn<Data> | undefined;
  /** `name` of the instances, where it is not the id. */
  readonly name?: string | undefined;
}

/** A list of a few holes may be as long as memory, and a message is written before its error is thrown. */
const shortened = (_key: string, value: unknown): unknown =>
  Array.isArray(value) && value.length > 10_000 ? `[${value.length} items]` : value;

/** @internal The maker shared by user errors and the catalogues. */
export function createErrorHelper<Data>(
  definition: IErrorDefinition<Data>,
  filePath: FilePath,
  { construct, name }: InstanceTraits<Data> = {},
): IErrorHelper<Data> {
  const { id, httpCode, dataSchema } = definition;
  if (typeof id !== "string" || id.trim() === "") {
    throw new TypeError(`An error needs a non-empty string id, got ${describeGiven(id)}.`);
  }
  if (httpCode !== undefined && !(Number.isInteger(httpCode) && httpCode >= 100 && httpCode <= 599)) {
    throw new TypeError(`Error "${id}" has httpCode ${describeGiven(httpCode)}; use an integer from 100 to 599.`);
  }
  const format = definition.format ?? ((data: Data) => JSON.stringify(data, shortened) ?? "");
  const parseData = dataSchema ? compileSyncSchema(dataSchema) : undefined;

  function create(data: Data, options?: ErrorOptions): RunnerError<Data> {
    const parsed = parseData ? (parseData(data) as Data) : data;
    const error = construct
      ? construct(format(parsed), parsed, options)
      : new HelperError(id, format(parsed), parsed, options);
    if (name !== undefined) error.name = name;
    if (httpCode !== undefined) Object.defineProperty(error, "httpCode", { value: httpCode, enumerable: true });
    // The stack starts where the helper was used, not here.
    Error.captureStackTrace?.(error, create);
    return error as RunnerError<Data>;
  }

  const helper = {
    kind: "error",
    id,
    meta: definition.meta ?? {},
    ...(httpCode !== undefined && { httpCode }),
    ...(dataSchema && { dataSchema }),
    [symbolError]: true,
    create,
    throw(data: Data, options?: ErrorOptions) {
      throw create(data, options);
    },
    is: (error: unknown): error is RunnerError<Data> => isRunnerError(error) && helperIdOf(error) === id,
    optional,
  };
  return Object.freeze(withFilePath(helper, filePath)) as unknown as IErrorHelper<Data>;
}

/** A catalogue entry: what happened, and optionally how to mend it on a line of its own. */
export interface DeclaredError<Data> extends InstanceTraits<Data> {
  readonly message: (data: Data) => string;
  /** One imperative sentence; left out when the message already says it. */
  readonly fix?: (data: Data) => string | undefined;
  /** The status an exposure replies with. Default 500. */
  readonly httpCode?: number;
}

/** Declares an error of the framework's catalogues. The first line of its message is API. */
export function declareError<Data>(
  id: string,
  { message, fix, httpCode, ...traits }: DeclaredError<Data>,
): IErrorHelper<Data> {
  const format = (data: Data): string => {
    const hint = fix?.(data);
    return hint ? `${message(data)}\n  fix: ${hint}` : message(data);
  };
  return createErrorHelper({ id, format, httpCode }, () => "unknown", traits);
}
