import { invalidJson, invalidManifest, missingManifest, type FailureMaker } from "../../errors/wireErrors";
import type { SerializerLike } from "../../serializer/codec";

/** What a body of text says; nothing when it is empty. @throws {WireFailure} 400 */
export const readBody = (text: string, serializer: SerializerLike): unknown =>
  text === "" ? undefined : parse(text, serializer, invalidJson);

/** The input of a task: what is under `input`, or the whole body when there is no such key. @throws {WireFailure} 400 */
export function readInput(text: string, serializer: SerializerLike): unknown {
  const body = readBody(text, serializer);
  return isObject(body) && Object.hasOwn(body, "input") ? body["input"] : body;
}

/** The input that a form's manifest carries. @throws {WireFailure} 400 */
export function readManifest(text: string, serializer: SerializerLike): unknown {
  const manifest = text === "" ? undefined : parse(text, serializer, invalidManifest);
  if (!isObject(manifest) || Array.isArray(manifest)) throw missingManifest();
  return Object.hasOwn(manifest, "input") ? manifest["input"] : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function parse(text: string, serializer: SerializerLike, failure: FailureMaker): unknown {
  try {
    return serializer.parse(text);
  } catch {
    throw failure();
  }
}
