import { createBuiltinCodecs } from "./builtinCodecs";
import type { ClassCodec, TypeCodec } from "./codec";
import type { SerializerLimits } from "./limits";
import { quoteId, serializerError } from "./serializerError";

/** Finds the codec of a value when encoding, and of an id when decoding. */
export interface TypeRegistry {
  /** Codecs chosen by `typeof`. */
  readonly primitives: Readonly<Record<string, TypeCodec>>;
  /** Types of the application, in the order in which they are asked. Plain objects need no search while there are none. */
  readonly customs: readonly CustomCodec[];
  /** Keys of `Symbol.for` that were read. */
  readonly foreignSymbols: Set<string>;
  /**
   * The type of an object that is not an array: a built-in one first, then custom types as registered.
   *
   * @param suspended ids that may not be chosen
   */
  codecOf(value: object, suspended: readonly string[]): TypeCodec | undefined;
  /** Whether an object belongs to a built-in type, whose content no other object can take over. */
  isBuiltin(value: object): boolean;
  /** @throws {SerializerError} the id is unknown or not allowed */
  codecById(id: unknown, limits: SerializerLimits): TypeCodec;
  /** @returns false when the id is taken */
  add(codec: CustomCodec): boolean;
}

/** A type that an application added. */
export interface CustomCodec extends TypeCodec {
  is(value: unknown): boolean;
}

export function createTypeRegistry(): TypeRegistry {
  const { classes, primitives } = createBuiltinCodecs();
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
    customs,
    foreignSymbols: new Set(),
    codecOf: (value, suspended) =>
      builtinOf(value) ?? customs.find((codec) => !suspended.includes(codec.id) && claims(codec, value)),
    isBuiltin: (value) => builtinOf(value) !== undefined,
    codecById(id, { allowedTypes }) {
      if (allowedTypes && !allowedTypes.has(id as string)) {
        throw serializerError("TYPE_REFUSED", `Type "${quoteId(id)}" is not allowed`);
      }
      const codec = byId.get(id);
      if (!codec) throw serializerError("TYPE_REFUSED", `Unknown type: ${quoteId(id)}`);
      return codec;
    },
    add(codec) {
      if (byId.has(codec.id)) return false;
      byId.set(codec.id, codec);
      customs.push(codec);
      return true;
    },
  };
}

function claims(codec: CustomCodec, value: object): boolean {
  try {
    return Boolean(codec.is(value));
  } catch {
    return false;
  }
}

const prototypeOf = (value: object): object | null => Object.getPrototypeOf(value) as object | null;
