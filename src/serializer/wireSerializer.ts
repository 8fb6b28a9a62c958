import type { SerializerLike } from "./codec";
import { defaultLimits } from "./limits";
import { createTreeFormat, type SerializerParts } from "./treeFormat";
import { createTypeRegistry, type TypeRegistry } from "./typeRegistry";
import { provideTypes } from "./typeSupport";
import type { WireLimits } from "./wireLimits";

/** Under which a `Serializer` shows its parts. */
export const symbolParts: unique symbol = /* @__PURE__ */ Symbol("runner.serializer.parts");

/** Most values of one body or reply, as a tree would have them. */
const maxWireValues = 1_000_000;

/**
 * The serializer as calls between processes use it: the same types, within the limits of the wire.
 *
 * @param serializer default: the types of `getDefaultSerializer()`. One that is no `Serializer` limits itself
 */
export function wireSerializer(serializer: SerializerLike | undefined, wire: WireLimits): SerializerLike {
  const parts = serializer === undefined ? defaultParts() : (serializer as Partial<ShowsParts>)[symbolParts];
  if (parts === undefined) return serializer as SerializerLike;
  const { registry, limits } = parts;
  const { maxValues = maxWireValues, maxChars = wire.maxChars } = limits;
  const omitErrorStacks = limits.omitErrorStacks || wire.omitErrorStacks === true;
  return createTreeFormat({ registry, limits: { ...limits, maxValues, maxChars, omitErrorStacks } });
}

interface ShowsParts {
  readonly [symbolParts]: SerializerParts | undefined;
}

// eslint-disable-next-line no-restricted-syntax -- the one registry per process that `getDefaultSerializer` has, too
let defaultTypes: TypeRegistry | undefined;

/** What `getDefaultSerializer()` is made of; clients have no need of its graph encoder. */
export const defaultParts = (): SerializerParts => ({
  registry: (defaultTypes ??= createTypeRegistry()),
  limits: defaultLimits,
});

// Wherever this module is evaluated, the rest of the package gets the types from it.
// eslint-disable-next-line runner/pure-top-level -- nothing is lost where a bundler drops an unused module with its types
provideTypes({ wireSerializer, hasCustomTypes: () => (defaultTypes?.customs.length ?? 0) > 0 });
