import { addType, definitionFromFactory } from "./addType";
import type { SerializerLike, SerializerOptions, TypeDefinition } from "./codec";
import { encodeGraph } from "./encodeGraph";
import { defaultLimits, type SerializerLimits } from "./limits";
import { readSymbolPolicy } from "./symbolPolicy";
import { createTreeFormat, type SerializerParts } from "./treeFormat";
import { createTypeRegistry } from "./typeRegistry";
import { defaultParts, symbolParts } from "./wireSerializer";

/**
 * Writes values as JSON text and reads them back, with dates, maps, sets, errors, bytes and custom types intact.
 *
 * `stringify` writes the tree format, which is what tunnels send; `serialize` the graph format, which keeps shared
 * references and loops. Both readers take either. Text is assumed hostile when read: depth, types, symbols and regular
 * expressions are limited by the options, and no key reaches a prototype.
 *
 * Own getters may be read twice. Errors carry a `code`, see `SerializerError`.
 *
 * @see readmes/SERIALIZER_PROTOCOL.md
 */
export class Serializer implements SerializerLike {
  readonly #parts: SerializerParts;
  readonly #format: SerializerLike;

  /** @throws {SerializerError} `symbolPolicy` is unknown */
  constructor(options?: SerializerOptions);
  /** @internal */
  constructor(options?: SerializerOptions, parts?: SerializerParts);
  constructor(options: SerializerOptions = {}, parts = createParts(options)) {
    this.#parts = parts;
    this.#format = createTreeFormat(parts);
    Object.defineProperty(this, symbolParts, { get: () => (this.#isOverridden() ? undefined : parts) });
  }

  /**
   * Writes the tree format; an object met twice is written twice.
   *
   * @throws {SerializerError} nested deeper than `maxDepth`, larger than `maxValues` or `maxChars`; a `TypeError` for
   * loops, functions, unique symbols and what is more than its fields: promises, streams, forms
   */
  stringify(value: unknown): string {
    return this.#format.stringify(value);
  }

  /**
   * Reads either format. The type parameter is a promise of the caller, nothing checks it.
   *
   * @throws {SerializerError} the text is JSON but breaks a limit or describes no value; a `SyntaxError` if it is not JSON
   */
  parse<T = unknown>(text: string): T {
    return this.#format.parse<T>(text);
  }

  /**
   * Writes the graph format; a value without any object in it looks the same in both.
   *
   * @param _context older callers pass one; it has no effect
   * @throws {SerializerError} as `stringify`, loops excepted
   */
  serialize(value: unknown, _context?: unknown): string {
    const { registry, limits } = this.#parts;
    const text = encodeGraph(value, registry, limits);
    return limits.pretty ? JSON.stringify(JSON.parse(text), null, 2) : text;
  }

  /** The same as `parse`. */
  deserialize<T = unknown>(text: string): T {
    return this.parse<T>(text);
  }

  /**
   * Registers a type, for the lifetime of this serializer. Both peers need it, under the same id.
   *
   * The short form takes objects with methods `typeName()`, which returns the id, and `toJSONValue()`, whose result the
   * factory receives on the other side.
   *
   * @throws {SerializerError} the definition is incomplete or its id taken
   */
  addType<I, S>(definition: TypeDefinition<I, S>): void;
  addType<S, I>(id: string, factory: (payload: S) => I): void;
  addType(definition: TypeDefinition | string, factory?: (payload: never) => unknown): void {
    addType(
      this.#parts.registry,
      typeof definition === "string" ? definitionFromFactory(definition, factory) : definition,
    );
  }

  /** A subclass that writes or reads in a way of its own decides about limits by itself. */
  #isOverridden(): boolean {
    const { stringify, parse } = ownMethods();
    return this.stringify !== stringify || this.parse !== parse;
  }
}

/** Outside of the class: a mention of its name inside would have bundlers give it another one, which errors print. */
const ownMethods = (): Serializer => Serializer.prototype;

function createParts(options: SerializerOptions): SerializerParts {
  const { allowedTypes, symbolPolicy = defaultLimits.symbolPolicy } = options;
  const limits: SerializerLimits = {
    pretty: options.pretty === true,
    maxDepth: readLimit(options.maxDepth, 0) ?? defaultLimits.maxDepth,
    maxValues: readLimit(options.maxValues, 1),
    maxChars: readLimit(options.maxChars, 1),
    allowedTypes: allowedTypes && new Set(allowedTypes),
    symbolPolicy: readSymbolPolicy(symbolPolicy),
    maxRegExpPatternLength: readLimit(options.maxRegExpPatternLength, 1) ?? defaultLimits.maxRegExpPatternLength,
    allowUnsafeRegExp: options.allowUnsafeRegExp === true,
    omitErrorStacks: options.omitErrorStacks === true,
  };
  return { registry: createTypeRegistry(), limits };
}

function readLimit(limit: unknown, least: number): number | undefined {
  const whole = typeof limit === "number" ? Math.floor(limit) : NaN;
  return whole >= least ? whole : undefined;
}

// eslint-disable-next-line no-restricted-syntax -- the one instance per process is what is promised
let instance: Serializer | undefined;

/**
 * The serializer of code that has no run to take one from, made with default options on first use.
 *
 * It is one per process and not the one of `globals.resources.serializer`.
 */
export function getDefaultSerializer(): Serializer {
  return (instance ??= new Serializer({}, defaultParts()));
}
