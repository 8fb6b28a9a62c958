import { wireSerializer } from "../../serializer/wireSerializer";
import { extractFiles } from "../files/extractFiles";
import { findFiles } from "../files/findFiles";
import { SentForm } from "../files/sentForm";
import { octetContentType } from "../protocol/byteTypes";
import { contextHeader } from "../protocol/contextHeader";
import type { ByteStream, WireHeaders } from "../protocol/wire";
import { readCallInput } from "./callInput";
import type { Refusal } from "./carrier";
import type { CallCodecOptions, CodecCarrier } from "./codec";
import type { JsonCodec } from "./jsonCodec";
import { writeContexts } from "./writeContexts";
import type { SerializerLike } from "../../serializer/codec";

/**
 * Makes a codec of everything that calls can carry.
 *
 * @param overJson makes the codec that this one extends: what it is made of is where this module may not be yet
 */
export function completeCodec(
  options: CallCodecOptions,
  { accepts }: CodecCarrier,
  maxChars: number,
  overJson: (serializer: SerializerLike) => JsonCodec,
): JsonCodec {
  const { contexts = [] } = options;
  const serializer = wireSerializer(options.serializer, { maxChars });
  const json = overJson(serializer);
  const headersOfKind: Record<string, WireHeaders> = {
    stream: { "content-type": octetContentType, ...json.authHeaders },
    form: json.authHeaders,
  };

  return {
    ...json,
    readInput: readCallInput,
    encodeTask(input) {
      const { value, isStream, files: sentinels } = input;
      if (isStream) {
        assertAccepted(accepts.streams);
        return { kind: "stream", stream: value as ByteStream };
      }
      if (sentinels.length === 0) return json.encodeTask(input);
      assertAccepted(accepts.files);
      const { input: bare, files } = extractFiles(value);
      if (files.length === 0) return json.encodeTask({ ...input, value: bare });
      if (files.some(({ source }) => !("blob" in source))) assertAccepted(accepts.nodeFiles);
      return new SentForm(serializer.stringify({ input: bare }), files);
    },
    encodeItem(item) {
      if (findFiles(item, "item").length > 0) throw new TypeError("An item cannot carry files.");
      return json.encodeItem(item);
    },
    encodeEvent(payload, returnPayload) {
      if (findFiles(payload, "payload").length > 0)
        throw new TypeError("An event cannot carry files. Call a task instead.");
      return json.encodeEvent(payload, returnPayload);
    },
    headersFor(body) {
      const headers = headersOfKind[body.kind] ?? json.headersFor(body);
      const context = contexts.length === 0 ? undefined : writeContexts(contexts, serializer, json.fail);
      return context === undefined ? headers : { ...headers, [contextHeader]: context };
    },
  };
}

function assertAccepted(accepted: true | Refusal): void {
  if (accepted === true) return;
  throw new Error(typeof accepted === "string" ? pageRefusals[accepted] : accepted.refusal);
}

/** Here, since pages begin without these texts. */
const pageRefusals: Record<Extract<Refusal, string>, string> = {
  "JSON only":
    "createExposureFetch sends JSON only. Use createHttpClient for blobs, or createHttpSmartClient or createHttpMixedClient of @bluelibs/runner/node for streams and files.",
  "blobs, no streams":
    "createHttpClient (universal) cannot send a Node stream. Use @bluelibs/runner/node createHttpSmartClient or createHttpMixedClient for duplex/streaming.",
  "blobs, no files of Node":
    "createHttpClient (universal) detected Node file input. Use @bluelibs/runner/node createHttpSmartClient or createHttpMixedClient for Node streaming/multipart.",
};
