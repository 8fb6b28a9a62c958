import type { WireResponse } from "./wire";

/** What a server refused or failed a call with. */
export interface Refusal {
  readonly code: string;
  /** Id of the error helper that was thrown. */
  readonly id: string | undefined;
  /** Whether the call had begun. */
  readonly hasBegun: boolean;
}

/**
 * Reads the refusal in a reply without the serializer of the client: for what looks at replies on their way.
 *
 * @returns `undefined` for what is none, as of a proxy
 */
export function refusalOf({ status, body }: WireResponse): Refusal | undefined {
  if (status < 400 || body.kind !== "text" || body.text.length > longestRefusal) return undefined;
  try {
    const { error } = JSON.parse(body.text) as { readonly error?: WrittenError };
    const { code, id, data } = error ?? {};
    if (typeof code !== "string") return undefined;
    return { code, id: typeof id === "string" ? id : undefined, hasBegun: saysBegun(data) };
  } catch {
    return undefined;
  }
}

interface WrittenError {
  readonly code?: unknown;
  readonly id?: unknown;
  readonly data?: unknown;
}

/** Whether the data of a refusal says that the call had begun. */
export const saysBegun = (data: unknown): boolean =>
  typeof data === "object" && data !== null && (data as { readonly ran?: unknown }).ran === true;

/** In characters; the data of an error may be large, and its code is not worth reading all of that. */
const longestRefusal = 65_536;
