import type { IAsyncContext } from "../../define/asyncContext";
import type { IErrorHelper } from "../../errors/defineError";
import type { SerializerLike } from "../../serializer/codec";
import { getDefaultSerializer } from "../../serializer/Serializer";
import { extractFiles } from "../files/extractFiles";
import { findFiles } from "../files/findFiles";
import { contextHeader, defaultTokenHeader, jsonContentType, octetContentType } from "../protocol/headers";
import { textBody, type ByteStream, type WireBody, type WireHeaders, type WireResponse } from "../protocol/wire";
import type { CallInput } from "./callInput";
import { writeContexts } from "./contextHeader";
import { readEnvelope, type LooseEnvelope, type ReplyReading } from "./readEnvelope";
import { TunnelError } from "../../errors/tunnelError";

/** How calls are written and replies are read, whatever carries them. */
export interface CallCodecOptions {
  /** Default: `getDefaultSerializer()`. */
  readonly serializer?: SerializerLike | undefined;
  readonly auth?: ClientAuth | undefined;
  /** Those active when a call is made travel with it. */
  readonly contexts?: readonly IAsyncContext<any>[] | undefined;
  /** Errors of the far side that are thrown again as what they were, by id. */
  readonly errorRegistry?: ReadonlyMap<string, IErrorHelper<any>> | undefined;
  /** What this client cannot send, and what it says then. */
  readonly refuses?: Refusals | undefined;
  /** Content type of a form, where the carrier does not state it by itself. */
  readonly formContentType?: (() => string) | undefined;
  readonly describeHttpError?: ReplyReading["describeHttpError"];
}

/** A secret that goes along with every call. */
export interface ClientAuth {
  /** Empty: nothing is sent. */
  readonly token: string;
  /** Name of the header. Default "x-runner-token". */
  readonly header?: string | undefined;
}

/** Messages of the errors for inputs that a client cannot carry. */
export interface Refusals {
  readonly streams?: string | undefined;
  readonly files?: string | undefined;
  /** Files whose bytes only Node can send. */
  readonly nodeFiles?: string | undefined;
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

/** Makes the codec of one client; everything that does not depend on the call is worked out here. */
export function createCallCodec(options: CallCodecOptions): CallCodec {
  const { contexts = [], refuses = {}, serializer = getDefaultSerializer() } = options;
  const reading: ReplyReading = {
    serializer,
    errors: options.errorRegistry ?? new Map(),
    describeHttpError: options.describeHttpError,
  };
  const authHeaders = headersOfAuth(options.auth);
  const jsonHeaders: WireHeaders = Object.freeze({ "content-type": jsonContentType, ...authHeaders });

  function headersOfKind(kind: WireBody["kind"]): WireHeaders {
    if (kind === "text") return jsonHeaders;
    if (kind === "stream") return { "content-type": octetContentType, ...authHeaders };
    return options.formContentType ? { "content-type": options.formContentType(), ...authHeaders } : authHeaders;
  }

  function readText(response: WireResponse, fallback: string): LooseEnvelope {
    if (response.body.kind !== "text") throw new TunnelError("INVALID_RESPONSE", fallback);
    return readEnvelope(response, response.body.text, fallback, reading);
  }

  return {
    encodeTask({ value, isStream, files: sentinels }) {
      if (isStream) {
        if (refuses.streams !== undefined) throw new Error(refuses.streams);
        return { kind: "stream", stream: value as ByteStream };
      }
      if (sentinels.length === 0) return textBody(serializer.stringify({ input: value }));
      const { input, files } = extractFiles(value);
      if (files.length === 0) return textBody(serializer.stringify({ input }));
      if (refuses.files !== undefined) throw new Error(refuses.files);
      if (refuses.nodeFiles !== undefined && files.some(({ source }) => !("blob" in source))) {
        throw new Error(refuses.nodeFiles);
      }
      return { kind: "form", manifest: serializer.stringify({ input }), files };
    },
    encodeEvent(payload, returnPayload) {
      if (findFiles(payload).length > 0) throw new TypeError("An event cannot carry files. Call a task instead.");
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

function headersOfAuth(auth: ClientAuth | undefined): WireHeaders {
  return auth?.token ? { [(auth.header ?? defaultTokenHeader).toLowerCase()]: auth.token } : {};
}
