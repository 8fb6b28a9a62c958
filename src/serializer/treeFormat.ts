import type { SerializerLike } from "./codec";
import { decode } from "./decode";
import { encodeTree } from "./encodeTree";
import type { SerializerLimits } from "./limits";
import type { TypeRegistry } from "./typeRegistry";

/** What a serializer is made of. */
export interface SerializerParts {
  readonly registry: TypeRegistry;
  readonly limits: SerializerLimits;
}

/** Writes trees and reads either format, which is all that calls need. */
export const createTreeFormat = ({ registry, limits }: SerializerParts): SerializerLike => ({
  stringify: (value) => JSON.stringify(encodeTree(value, registry, limits), null, limits.pretty ? 2 : undefined),
  parse: <T>(text: string) => decode(text, registry, limits) as T,
});
