import type { SerializerLike } from "./codec";
import { isBeyondPlain, plainFormat } from "./plainFormat";
import type { SerializerErrorCode } from "./serializerError";
import { typeSupport } from "./typeSupport";
import type { WireLimits } from "./wireLimits";

/**
 * The types of `getDefaultSerializer()`, within limits. While they are not loaded, its methods throw `TYPES_NOT_LOADED`
 * for all but JSON, dates and `undefined`.
 */
export function lightSerializer(limits: WireLimits): SerializerLike {
  const complete = typeSupport()?.wireSerializer(undefined, limits);
  if (complete !== undefined) return complete;
  const plain = plainFormat(limits.maxChars);
  return {
    stringify: (value) => explained(() => plain.stringify(value)),
    parse: <T>(text: string) => explained(() => plain.parse<T>(text)),
  };
}

function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isBeyondPlain(error) ? typesNotLoaded() : error;
  }
}

function typesNotLoaded(): Error {
  const code: SerializerErrorCode = "TYPES_NOT_LOADED";
  const message =
    "Only JSON, dates and undefined can be written and read before the serializer is loaded.\n" +
    "Call getDefaultSerializer() of @bluelibs/runner first.";
  return Object.assign(new Error(message), { code });
}
