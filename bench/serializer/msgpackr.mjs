import { Packr } from "msgpackr";
import { measureRoundTrip } from "./measure.mjs";

export function start(options) {
  const packr = new Packr({ moreTypes: true, structuredClone: true });
  return measureRoundTrip(
    options,
    (value) => packr.pack(value),
    (bytes) => packr.unpack(bytes),
  );
}
