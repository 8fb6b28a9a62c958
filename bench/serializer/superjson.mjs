import superjson from "superjson";
import { measureRoundTrip } from "./measure.mjs";

export const start = (options) => measureRoundTrip(options, superjson.stringify, superjson.parse);
