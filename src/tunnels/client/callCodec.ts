import type { IAsyncContext } from "../../define/asyncContext";
import type { IErrorHelper } from "../../errors/defineError";
import type { SerializerLike } from "../../serializer/codec";
import { wireSerializer } from "../../serializer/wireSerializer";
import { findFiles } from "../files/findFiles";
import { contextHeader, defaultTokenHeader, jsonContentType, octetContentType } from "../protocol/headers";
import { defaultReplyBytes } from "../protocol/replyLimit";
import { textBody, type ByteStream, type WireBody, type WireHeaders, type WireResponse } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { Carrier } from "./carrier";
import { writeContexts } from "./writeContexts";
import { readEnvelope, type LooseEnvelope, type ReplyReading } from "./readEnvelope";
import { TunnelError } from "../../errors/tunnelError";

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

/** Writes calls and reads replies. */
export interface CallCodec {
  encodeTask(input: CallInput): WireBody;
  encodeEvent(payload: unknown, returnPayload: boolean): WireBody;
  headersFor(body: WireBody): WireHeaders;
  /** The result, or the stream that is the result. */
  decodeTask(response: WireResponse): unknown;
  decodeEvent(response: WireResponse): void;
  decodeEventResult(response: WireResponse): unknown;
}

/** What the codec needs to know of what sends its calls. */
type CodecCarrier = Pick<Carrier, "accepts" | "describeHttpError">;

/** Makes the codec of one client; everything that does not depend on the call is worked out here. */
export function createCallCodec(options: CallCodecOptions, { accepts, describeHttpError }: CodecCarrier): CallCodec {
  const { contexts = [], maxReplyBytes = 0 } = options;
  // A text has no more characters than bytes; inputs are not limited by what a client expects of replies.
  const serializer = wireSerializer(options.serializer, { maxChars: Math.max(maxReplyBytes, defaultReplyBytes) });
  const reading: ReplyReading = {
    serializer,
    errors: options.errorRegistry ?? new Map(),
    describeHttpError,
  };
  const authHeaders = headersOfAuth(options.auth);
  const jsonHeaders: WireHeaders = Object.freeze({ "content-type": jsonContentType, ...authHeaders });

  function headersOfKind(kind: WireBody["kind"]): WireHeaders {
    if (kind === "text") return jsonHeaders;
    return kind === "stream" ? { "content-type": octetContentType, ...authHeaders } : authHeaders;
  }

  function readText(response: WireResponse, fallback: string): LooseEnvelope {
    if (response.body.kind !== "text") throw new TunnelError("INVALID_RESPONSE", fallback);
    return readEnvelope(response, response.body.text, fallback, reading);
  }

  return {
    encodeTask({ value, isStream, files: sentinels }) {
      if (isStream) {
        assertAccepted(accepts.streams);
        return { kind: "stream", stream: value as ByteStream };
      }
      if (sentinels.length === 0) return textBody(serializer.stringify({ input: value }));
      if (typeof accepts.files === "string") throw new Error(accepts.files);
      const { input, files } = accepts.files(value);
      if (files.length === 0) return textBody(serializer.stringify({ input }));
      if (files.some(({ source }) => !("blob" in source))) assertAccepted(accepts.nodeFiles);
      return { kind: "form", manifest: serializer.stringify({ input }), files };
    },
    encodeEvent(payload, returnPayload) {
      if (findFiles(payload, "payload").length > 0)
        throw new TypeError("An event cannot carry files. Call a task instead.");
      return textBody(serializer.stringify(returnPayload ? { payload, returnPayload } : { payload }));
    },
    headersFor({ kind }) {
      const headers = headersOfKind(kind);
      const context = contexts.length === 0 ? undefined : writeContexts(contexts, serializer);
      return context === undefined ? headers : { ...headers, [contextHeader]: context };
    },
    decodeTask(response) {
      if (response.body.kind === "stream") return response.body.stream;
      return readText(response, "Tunnel task error").result;
    },
    decodeEvent: (response) => void readText(response, "Tunnel event error"),
    decodeEventResult(response) {
      const envelope = readText(response, "Tunnel event error");
      if ("result" in envelope) return envelope.result;
      throw new TunnelError(
        "INVALID_RESPONSE",
        "Tunnel event returnPayload requested but server did not include result. Upgrade the exposure server.",
      );
    },
  };
}

function assertAccepted(isAccepted: true | string): void {
  if (isAccepted !== true) throw new Error(isAccepted);
}

function headersOfAuth(auth: ClientAuth | undefined): WireHeaders {
  return auth?.token ? { [(auth.header ?? defaultTokenHeader).toLowerCase()]: auth.token } : {};
}
