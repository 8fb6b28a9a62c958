import { invalidManifest, missingManifest, WireFailureError } from "../../errors/wireErrors";
import type { SerializerLike } from "../../serializer/codec";

/** The input that a form's manifest carries. @throws {WireFailureError} 400 */
export function readManifest(text: string, serializer: SerializerLike): unknown {
  if (text === "") throw new WireFailureError(missingManifest);
  const manifest = parse(text, serializer);
  if (typeof manifest !== "object" || manifest === null || Array.isArray(manifest))
    throw new WireFailureError(missingManifest);
  return Object.hasOwn(manifest, "input") ? (manifest as { input: unknown }).input : undefined;
}

function parse(text: string, serializer: SerializerLike): unknown {
  try {
    return serializer.parse(text);
  } catch {
    throw new WireFailureError(invalidManifest);
  }
}
