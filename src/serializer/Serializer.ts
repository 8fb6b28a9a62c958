import {
  resolveLimits,
  type SerializerLike,
  type SerializerLimits,
  type SerializerOptions,
  type TypeDefinition,
} from "./codec";
import { decodeGraph } from "./decodeGraph";
import { decodeTree } from "./decodeTree";
import { encodeGraph } from "./encodeGraph";
import { encodeTree } from "./encodeTree";
import { isGraphPayload } from "./markers";
import { createTypeRegistry, definitionFromFactory, type TypeRegistry } from "./typeRegistry";

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
  readonly #limits: SerializerLimits;
  readonly #registry: TypeRegistry;

  /** @throws {SerializerError} `symbolPolicy` is unknown */
  constructor(options: SerializerOptions = {}) {
    this.#limits = resolveLimits(options);
    this.#registry = createTypeRegistry(this.#limits);
  }

  /**
   * Writes the tree format; an object met twice is written twice.
   *
   * @throws {SerializerError} nested deeper than `maxDepth`; a `TypeError` for loops, functions and unique symbols
   */
  stringify(value: unknown): string {
    const { maxDepth, pretty } = this.#limits;
    const encoded = encodeTree(value, this.#registry, maxDepth);
    return pretty ? JSON.stringify(encoded, null, 2) : JSON.stringify(encoded);
  }

  /**
   * Reads either format. The type parameter is a promise of the caller, nothing checks it.
   *
   * @throws {SerializerError} the text is JSON but breaks a limit or describes no value; a `SyntaxError` if it is not JSON
   */
  parse<T = unknown>(text: string): T {
    const parsed: unknown = JSON.parse(text);
    const decoded = isGraphPayload(parsed)
      ? decodeGraph(parsed, this.#registry, this.#limits.maxDepth)
      : decodeTree(parsed, this.#registry, this.#limits.maxDepth);
    return decoded as T;
  }

  /**
   * Writes the graph format; a value without any object in it looks the same in both.
   *
   * @param _context older callers pass one; it has no effect
   * @throws {SerializerError} nested deeper than `maxDepth`; a `TypeError` for functions and unique symbols
   */
  serialize(value: unknown, _context?: unknown): string {
    const { maxDepth, pretty } = this.#limits;
    const text = encodeGraph(value, this.#registry, maxDepth);
    return pretty ? JSON.stringify(JSON.parse(text), null, 2) : text;
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
    this.#registry.add(typeof definition === "string" ? definitionFromFactory(definition, factory) : definition);
  }
}

// eslint-disable-next-line no-restricted-syntax -- the one instance per process is what is promised
let instance: Serializer | undefined;

/**
 * The serializer of code that has no run to take one from, made with default options on first use.
 *
 * It is one per process and not the one of `globals.resources.serializer`.
 */
export function getDefaultSerializer(): Serializer {
  return (instance ??= new Serializer());
}
