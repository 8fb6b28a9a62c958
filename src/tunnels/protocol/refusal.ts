import type { WireResponse } from "./wire";

/** What a server refused or failed a call with. */
export interface Refusal {
  readonly code: string;
  /** Id of the error helper that was thrown. */
  readonly id: string | undefined;
}

/**
 * Reads the refusal in a reply without the serializer of the client: for what looks at replies on their way.
 *
 * @returns `undefined` for what is none, as of a proxy
 */
export function refusalOf({ status, body }: WireResponse): Refusal | undefined {
  if (status < 400 || body.kind !== "text" || body.text.length > longestRefusal) return undefined;
  try {
    const { error } = JSON.parse(body.text) as { readonly error?: { readonly code?: unknown; readonly id?: unknown } };
    const { code, id } = error ?? {};
    return typeof code === "string" ? { code, id: typeof id === "string" ? id : undefined } : undefined;
  } catch {
    return undefined;
  }
}

/** In characters; the data of an error may be large, and its code is not worth reading all of that. */
const longestRefusal = 65_536;
