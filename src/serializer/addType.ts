import type { TypeDefinition } from "./codec";
import { serializerError, type SerializerError } from "./serializerError";
import type { CustomCodec, TypeRegistry } from "./typeRegistry";

/** Registers a type. @throws {SerializerError} the definition is incomplete or its id taken */
export function addType(registry: TypeRegistry, definition: TypeDefinition): void {
  const codec = readDefinition(definition);
  if (!registry.add(codec)) throw invalidDefinition(`Type with id "${codec.id}" already exists`);
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

const invalidDefinition = (message: string): SerializerError => serializerError("INVALID_TYPE_DEFINITION", message);
