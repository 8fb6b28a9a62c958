import { TunnelError } from "../../errors/tunnelError";
import type { SerializerLike } from "../../serializer/codec";
import { defaultTokenHeader, jsonContentType } from "../protocol/headers";
import { defaultReplyBytes } from "../protocol/replyLimit";
import { textBody, type WireBody, type WireHeaders, type WireResponse } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { CallCodec, CallCodecOptions, ClientAuth, CodecCarrier } from "./codec";
import { failureOf, readEnvelope, type LooseEnvelope, type ReplyReading } from "./readEnvelope";

/** A codec that has at hand all it needs. */
export interface JsonCodec extends CallCodec {
  readonly authHeaders: WireHeaders;
  /** Makes an error of the client itself. */
  fail(code: string, message: string): TunnelError;
  encodeTask(input: CallInput): WireBody;
  encodeEvent(payload: unknown, returnPayload: boolean): WireBody;
  headersFor(body: WireBody): WireHeaders;
}

/** Makes a codec of inputs that hold no files, are no streams and travel without contexts. */
export function createJsonCodec(
  options: Pick<CallCodecOptions, "auth" | "errorRegistry">,
  { describeHttpError }: CodecCarrier,
  serializer: SerializerLike,
): JsonCodec {
  const reading: ReplyReading = {
    serializer,
    errors: options.errorRegistry ?? new Map(),
    describeHttpError,
  };
  const authHeaders = headersOfAuth(options.auth);
  const headers: WireHeaders = Object.freeze({ "content-type": jsonContentType, ...authHeaders });

  function readText(response: WireResponse, fallback: string): LooseEnvelope {
    if (response.body.kind !== "text") throw new TunnelError("INVALID_RESPONSE", fallback);
    return readEnvelope(response, response.body.text, fallback, reading);
  }

  return {
    authHeaders,
    fail: (code, message) => new TunnelError(code, message),
    readInput: (value) => ({ value, isStream: false, files: noFiles }),
    encodeTask: ({ value }) => textBody(serializer.stringify({ input: value })),
    encodeItem: (item) => serializer.stringify({ item }),
    encodeEvent: (payload, returnPayload) =>
      textBody(serializer.stringify(returnPayload ? { payload, returnPayload } : { payload })),
    headersFor: () => headers,
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
    decodeLine: (line) => serializer.parse(line),
    failureOf: (error, requestId) => failureOf(error, { fallback: "Tunnel task error", requestId }, reading.errors),
  };
}

const noFiles = [] as const;

/** A text has no more characters than bytes; inputs are not limited by what a client expects of replies. */
export const maxCharsOf = ({ maxReplyBytes = 0 }: CallCodecOptions): number =>
  Math.max(maxReplyBytes, defaultReplyBytes);

function headersOfAuth(auth: ClientAuth | undefined): WireHeaders {
  return auth?.token ? { [(auth.header ?? defaultTokenHeader).toLowerCase()]: auth.token } : {};
}
