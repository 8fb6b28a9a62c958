import { measureRoundTrip } from "./measure.mjs";

export const start = (options) => measureRoundTrip(options, JSON.stringify, JSON.parse);
