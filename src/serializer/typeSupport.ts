import type { SerializerLike } from "./codec";
import type { WireLimits } from "./wireLimits";

/** What the module that holds the types lends to those that do without it. */
export interface TypeSupport {
  /** See `wireSerializer`. */
  wireSerializer(serializer: SerializerLike | undefined, limits: WireLimits): SerializerLike;
  /** Whether types were added to those of `getDefaultSerializer()`. */
  hasCustomTypes(): boolean;
}

// eslint-disable-next-line no-restricted-syntax -- whether a module was evaluated is a fact of the process
let provided: TypeSupport | undefined;

/** `undefined` until the module that holds the types was evaluated. */
export const typeSupport = (): TypeSupport | undefined => provided;

/** Called by that module while it is evaluated. */
export function provideTypes(support: TypeSupport): void {
  provided = support;
}
