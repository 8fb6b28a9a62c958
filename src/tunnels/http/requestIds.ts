import { randomHex } from "../../lib/hex";
import { isUsableRequestId, requestIdHeader } from "../protocol/headers";

/** Gives a request its id, its own if that is usable, and puts it into the request's headers. */
export function createRequestIds(): (request: { readonly headers: Record<string, unknown> }) => string {
  // Shaped as a UUID of version 4: 74 random bits for the process, and the last group for the request. Its lower half
  // is a small integer, which engines write as text many times faster than a larger one.
  const hex = randomHex(16);
  const prefix = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-`;
  let high = Number.parseInt(hex.slice(20, 26), 16);
  let low = firstOfSixDigits;
  let start = prefix + high.toString(16).padStart(6, "0");
  return ({ headers }) => {
    const given = headers[requestIdHeader];
    if (typeof given === "string" && isUsableRequestId(given)) {
      return (headers[requestIdHeader] = given.trim());
    }
    if (low > 0xffffff) {
      low = firstOfSixDigits;
      high = (high + 1) % 0x1000000;
      start = prefix + high.toString(16).padStart(6, "0");
    }
    return (headers[requestIdHeader] = start + (low++).toString(16));
  };
}

const firstOfSixDigits = 0x100000;
