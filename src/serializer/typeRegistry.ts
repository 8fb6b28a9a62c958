import { createBuiltinCodecs } from "./builtinCodecs";
import type { ClassCodec, PrimitiveCodecs, SerializerLimits, TypeCodec, TypeDefinition } from "./codec";
import { quoteId, serializerError, type SerializerError } from "./serializerError";

/** Finds the codec of a value when encoding, and of an id when decoding. */
export interface TypeRegistry {
  readonly primitives: PrimitiveCodecs;
  /** Plain objects need no search while this is `false`. */
  hasCustomTypes(): boolean;
  /**
   * The type of an object that is not an array: a built-in one first, then custom types as registered.
   *
   * @param suspended ids that may not be chosen
   */
  codecOf(value: object, suspended: readonly string[]): TypeCodec | undefined;
  /** Whether an object belongs to a built-in type, whose content no other object can take over. */
  isBuiltin(value: object): boolean;
  /** @throws {SerializerError} the id is unknown or not allowed */
  codecById(id: unknown): TypeCodec;
  /** @throws {SerializerError} the definition is incomplete or its id taken */
  add(definition: TypeDefinition): void;
}

interface CustomCodec extends TypeCodec {
  is(value: unknown): boolean;
}

export function createTypeRegistry(limits: SerializerLimits): TypeRegistry {
  const { classes, primitives } = createBuiltinCodecs(limits);
  const byId = new Map<unknown, TypeCodec>();
  const byPrototype = new Map<object | null, ClassCodec>();
  const byTag = new Map<string, ClassCodec>();
  const customs: CustomCodec[] = [];

  for (const codec of Object.values(primitives)) byId.set(codec.id, codec);
  for (const codec of classes) {
    byId.set(codec.id, codec);
    byTag.set(`[object ${codec.id}]`, codec);
    if (codec.prototype) byPrototype.set(codec.prototype, codec);
    // Platforms' own errors carry a tag of their own.
    if (codec.id === "Error") byTag.set("[object DOMException]", codec);
  }

  function builtinOf(value: object): TypeCodec | undefined {
    let last: object | null = null;
    for (let link = prototypeOf(value); link !== null; link = prototypeOf(link)) {
      const codec = byPrototype.get(link);
      if (codec) return codec;
      last = link;
    }
    // Ends in this realm's `Object.prototype`: a user's class or a plain object. Otherwise it comes from elsewhere.
    if (last === null || last === Object.prototype) return undefined;
    const codec = byTag.get(Object.prototype.toString.call(value));
    return codec?.owns(value) ? codec : undefined;
  }

  return {
    primitives,
    hasCustomTypes: () => customs.length > 0,
    codecOf(value, suspended) {
      return (
        builtinOf(value) ??
        (customs.length === 0
          ? undefined
          : customs.find((codec) => !suspended.includes(codec.id) && claims(codec, value)))
      );
    },
    isBuiltin: (value) => builtinOf(value) !== undefined,
    codecById(id) {
      if (limits.allowedTypes && !limits.allowedTypes.has(id as string)) {
        throw serializerError("TYPE_REFUSED", `Type "${quoteId(id)}" is not allowed`);
      }
      const codec = byId.get(id);
      if (!codec) throw serializerError("TYPE_REFUSED", `Unknown type: ${quoteId(id)}`);
      return codec;
    },
    add(definition) {
      const codec = readDefinition(definition);
      if (byId.has(codec.id)) throw invalidDefinition(`Type with id "${codec.id}" already exists`);
      byId.set(codec.id, codec);
      customs.push(codec);
    },
  };
}

/**
 * The definition behind `addType(name, factory)`: objects say themselves what they are and what is written for them.
 *
 * @throws {SerializerError} there is no factory
 */
export function definitionFromFactory(id: string, factory: ((payload: never) => unknown) | undefined): TypeDefinition {
  if (typeof factory !== "function") throw invalidDefinition(`addType("${id}", factory) requires a factory`);
  return {
    id,
    strategy: "value",
    is: (value): value is SelfDescribing => isSelfDescribing(value) && value.typeName() === id,
    serialize: (value: SelfDescribing) => value.toJSONValue(),
    deserialize: factory,
  };
}

interface SelfDescribing {
  typeName(): string;
  toJSONValue(): unknown;
}

function isSelfDescribing(value: unknown): value is SelfDescribing {
  const { typeName, toJSONValue } = value as Partial<SelfDescribing>;
  return typeof typeName === "function" && typeof toJSONValue === "function";
}

function readDefinition(definition: Partial<TypeDefinition> | undefined): CustomCodec {
  if (!definition?.id) throw invalidDefinition("Invalid type definition: id is required");
  const { id, strategy = "ref" } = definition;
  if (!definition.serialize || !definition.deserialize) {
    throw invalidDefinition("Invalid type definition: serialize and deserialize are required");
  }
  if (!definition.is) throw invalidDefinition("Invalid type definition: is is required");
  // A view and not a copy: the methods may use `this`.
  const type = definition as TypeDefinition;
  return {
    id,
    strategy,
    custom: true,
    is: (value) => type.is(value),
    serialize: (value) => type.serialize(value),
    deserialize: (payload) => type.deserialize(payload),
    ...(type.create && { create: () => type.create?.() }),
  };
}

function claims(codec: CustomCodec, value: object): boolean {
  try {
    return Boolean(codec.is(value));
  } catch {
    return false;
  }
}

const invalidDefinition = (message: string): SerializerError => serializerError("INVALID_TYPE_DEFINITION", message);

const prototypeOf = (value: object): object | null => Object.getPrototypeOf(value) as object | null;
