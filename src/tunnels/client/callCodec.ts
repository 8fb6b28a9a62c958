import type { CallCodecOptions, CodecCarrier } from "./codec";
import { completeCodec } from "./completeCodec";
import { createJsonCodec, maxCharsOf, type JsonCodec } from "./jsonCodec";

/** Makes the codec of a client that has everything at hand. */
export const createCallCodec = (options: CallCodecOptions, carrier: CodecCarrier): JsonCodec =>
  completeCodec(options, carrier, maxCharsOf(options), (serializer) => createJsonCodec(options, carrier, serializer));
