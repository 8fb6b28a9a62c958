import { createHash, timingSafeEqual } from "node:crypto";
import type { HeldToken } from "../../tunnels/http/heldTokens";
import type { Caller } from "../../tunnels/server/authenticate";

/**
 * Compares a value with every token in constant time, and says whose it is.
 *
 * Tokens are padded to one length beforehand and all of them are compared, so neither a token's length nor the place of
 * the first difference shows. Hashing both sides would hide as much at many times the cost.
 */
export function createTokenMatcher(
  configured: readonly (string | HeldToken)[],
): (presented: string) => Caller | undefined {
  // Each once: two places that match would add up to a third.
  const held = new Map(
    configured.map((each) => (typeof each === "string" ? [each, { token: each }] : [each.token, each])),
  );
  const tokens = [...held.keys()];
  const holders = [...held.values()].map(holderOf);
  const lengths = tokens.map((token) => Buffer.byteLength(token));
  const size = Math.max(0, ...lengths);
  const padded = tokens.map((token) => pad(token, Buffer.alloc(size)));
  const scratch = Buffer.alloc(size);
  return (presented) => {
    const length = Buffer.byteLength(presented);
    pad(presented, scratch.fill(0));
    // One more than the place of the token that matches.
    let matching = 0;
    for (let index = 0; index < padded.length; index++) {
      const sameBytes = Number(timingSafeEqual(scratch, padded[index] as Buffer));
      matching |= (sameBytes & Number(length === lengths[index])) * (index + 1);
    }
    return length > 0 ? holders[matching - 1] : undefined;
  };
}

const holderOf = ({ token, name = `token:${digestOf(token)}`, ...known }: HeldToken): Caller => ({ name, ...known });

/** Distinguishes tokens in logs without revealing them. */
const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 16);

function pad(text: string, buffer: Buffer): Buffer {
  buffer.write(text);
  return buffer;
}
