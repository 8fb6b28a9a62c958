import type { SerializerLike } from "./codec";
import { plainFormat } from "./plainFormat";
import { typeSupport } from "./typeSupport";
import type { WireLimits } from "./wireLimits";

/**
 * The types of `getDefaultSerializer()`, within limits. While they are not loaded, its methods throw `TYPES_NOT_LOADED`
 * for all but JSON, dates and `undefined`.
 */
export const lightSerializer = (limits: WireLimits): SerializerLike =>
  typeSupport()?.wireSerializer(undefined, limits) ?? plainFormat(limits.maxChars);
