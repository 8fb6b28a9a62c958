import { parse, stringify } from "devalue";
import { measureRoundTrip } from "./measure.mjs";

export const start = (options) => measureRoundTrip(options, stringify, parse);
