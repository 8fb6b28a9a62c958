import { deserialize, serialize } from "node:v8";
import { measureRoundTrip } from "./measure.mjs";

export const start = (options) => measureRoundTrip(options, serialize, deserialize);
