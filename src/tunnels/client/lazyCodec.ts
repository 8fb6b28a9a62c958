import type { MaybePromise } from "../../lib/typeLevel";
import type { SerializerLike } from "../../serializer/codec";
import { isBeyondPlain, plainFormat } from "../../serializer/plainFormat";
import { snapshotOf } from "../../serializer/snapshot";
import { typeSupport } from "../../serializer/typeSupport";
import type { CallCodec, MakeCallCodec } from "./codec";
import { createJsonCodec, maxCharsOf, type JsonCodec } from "./jsonCodec";

/**
 * Makes a codec that by itself writes and reads what JSON can hold, `undefined` and dates, which is most of what calls carry.
 * Whatever else turns up, it loads the codec of everything: bundlers make a file of its own of that, which pages fetch
 * when they need it.
 */
export const lazyCodec: MakeCallCodec = (options, carrier) => {
  const { serializer, contexts = [] } = options;
  const maxChars = maxCharsOf(options);
  const overJson = (format: SerializerLike): JsonCodec => createJsonCodec(options, carrier, format);
  const json = overJson(plainFormat(maxChars));
  let complete: CallCodec | undefined;

  async function load(): Promise<CallCodec> {
    const { completeCodec } = await import("./completeCodec");
    return (complete ??= completeCodec(options, carrier, maxChars, overJson));
  }

  const isPlain = (): boolean =>
    serializer === undefined && contexts.length === 0 && typeSupport()?.hasCustomTypes() !== true;

  /** @param value what a codec is used with; changes of it that follow the call are not seen, even if something is loaded */
  function withCodec<V, T>(value: V, use: (codec: CallCodec, value: V) => MaybePromise<T>): MaybePromise<T> {
    try {
      if (complete !== undefined || isPlain()) return use(complete ?? json, value);
    } catch (error) {
      if (!isBeyondPlain(error)) throw error;
    }
    const taken = snapshotOf(value);
    return load().then((loaded) => use(loaded, taken));
  }

  // Every call will need it. If that fails, so do they, with the reason.
  if (!isPlain()) load().catch(() => {});
  return {
    readInput: json.readInput,
    encodeTask: ({ value }) => withCodec(value, (codec, taken) => codec.encodeTask(codec.readInput(taken))),
    encodeItem: (item) => withCodec(item, (codec, taken) => codec.encodeItem(taken)),
    encodeEvent: (payload, returnPayload) =>
      withCodec(payload, (codec, taken) => codec.encodeEvent(taken, returnPayload)),
    headersFor: (body) => withCodec(undefined, (codec) => codec.headersFor(body)),
    decodeTask: (response) => withCodec(undefined, (codec) => codec.decodeTask(response)),
    decodeEvent: (response) => withCodec(undefined, (codec) => codec.decodeEvent(response)),
    decodeEventResult: (response) => withCodec(undefined, (codec) => codec.decodeEventResult(response)),
    decodeLine: (line) => withCodec(line, (codec) => codec.decodeLine(line)),
    failureOf: json.failureOf,
  };
};
