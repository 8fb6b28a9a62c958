import { hexOf } from "../../lib/hex";
import type { Caller } from "../server/authenticate";

/** A token, and what is known of its holder. */
export interface HeldToken extends Omit<Partial<Caller>, "policy"> {
  readonly token: string;
}

/**
 * Compares a value with every token in constant time, and says whose it is.
 *
 * Tokens are padded to one length beforehand and all of them are compared byte by byte, so neither a token's length nor
 * the place of the first difference shows. `tokenMatcher.ts` of `src/node` does the same by what Node has for it.
 *
 * @returns resolves once the digests are known by which logs call holders without a name
 */
export async function createHeldTokens(
  configured: readonly HeldToken[],
): Promise<(presented: string) => Caller | undefined> {
  const encoder = new TextEncoder();
  const tokens = configured.map(({ token }) => encoder.encode(token));
  const holders = await Promise.all(configured.map(holderOf));
  const size = Math.max(0, ...tokens.map(({ byteLength }) => byteLength));
  const padded = tokens.map((token) => {
    const bytes = new Uint8Array(size);
    bytes.set(token);
    return bytes;
  });
  return (presented) => {
    const bytes = encoder.encode(presented);
    // One more than the place of the token that matches.
    let matching = 0;
    for (let index = 0; index < padded.length; index++) {
      const isSame = Number(difference(padded[index] as Uint8Array, bytes) === 0);
      const hasLength = Number(bytes.byteLength === (tokens[index] as Uint8Array).byteLength);
      matching |= (isSame & hasLength) * (index + 1);
    }
    return bytes.byteLength > 0 ? holders[matching - 1] : undefined;
  };
}

/** Which bits differ anywhere; takes as long for any value. */
function difference(padded: Uint8Array, presented: Uint8Array): number {
  let bits = 0;
  for (let index = 0; index < padded.length; index++) {
    bits |= (padded[index] as number) ^ (presented[index] ?? 0);
  }
  return bits;
}

async function holderOf({ token, name, ...known }: HeldToken): Promise<Caller> {
  return { name: name ?? `token:${await digestOf(token)}`, ...known };
}

/** Distinguishes tokens in logs without revealing them. */
async function digestOf(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  return hexOf(digest.subarray(0, 8));
}
