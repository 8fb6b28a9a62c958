import type { IAsyncContext } from "../../define/asyncContext";
import type { IErrorHelper } from "../../errors/defineError";
import type { MaybePromise } from "../../lib/typeLevel";
import type { SerializerLike } from "../../serializer/codec";
import type { WireBody, WireHeaders, WireResponse } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { Carrier } from "./carrier";

/** How calls are written and replies are read, whatever sends them. */
export interface CallCodecOptions {
  /** Default: `getDefaultSerializer()`. */
  readonly serializer?: SerializerLike | undefined;
  readonly auth?: ClientAuth | undefined;
  /** Those active when a call is made travel with it. */
  readonly contexts?: readonly IAsyncContext<any>[] | undefined;
  /** Errors of the server that are thrown again as what they were, by id. */
  readonly errorRegistry?: ReadonlyMap<string, IErrorHelper<any>> | undefined;
  /** Largest reply that the carriers read into one text, in bytes. */
  readonly maxReplyBytes?: number | undefined;
}

/** A secret that goes along with every call. */
export interface ClientAuth {
  /** Empty: nothing is sent. */
  readonly token: string;
  /** Name of the header. Default "x-runner-token". */
  readonly header?: string | undefined;
}

/** Writes calls and reads replies: at once, unless a part of the codec has to be loaded for it. */
export interface CallCodec {
  /** @throws {TypeError} as `findFiles` */
  readInput(value: unknown): CallInput;
  encodeTask(input: CallInput): MaybePromise<WireBody>;
  /** The text of the line for an item, which may have line breaks in it. */
  encodeItem(item: unknown): MaybePromise<string>;
  encodeEvent(payload: unknown, returnPayload: boolean): MaybePromise<WireBody>;
  headersFor(body: WireBody): MaybePromise<WireHeaders>;
  /** The result, or the stream that is the result. */
  decodeTask(response: WireResponse): unknown;
  decodeEvent(response: WireResponse): MaybePromise<void>;
  decodeEventResult(response: WireResponse): unknown;
  /** A line of a stream of items. */
  decodeLine(line: string): unknown;
  /** What the line that ends a stream says it failed with, as the error that it is. */
  failureOf(error: unknown, requestId: string | undefined): Error;
}

/** What the codec needs to know of what sends its calls. */
export type CodecCarrier = Pick<Carrier, "accepts" | "describeHttpError">;

/** Makes the codec of one client; everything that does not depend on the call is worked out then. */
export type MakeCallCodec = (options: CallCodecOptions, carrier: CodecCarrier) => CallCodec;
