import { callSampler } from "../lib/callSampler.mjs";
import { payloads } from "./payloads.mjs";

/** Samples the way of a payload to text (or bytes) and back; a peer that does not bring it back is left out. */
export function measureRoundTrip({ row }, stringify, parse) {
  const { make, isSame } = payloads[row];
  const value = make();
  try {
    if (!isSame(parse(stringify(value)), value)) return { missing: true };
  } catch {
    return { missing: true };
  }
  return callSampler(() => parse(stringify(value)));
}
