import { StandardRPCJsonSerializer } from "@orpc/client/standard";
import { measureRoundTrip } from "./measure.mjs";

/** What its RPC handler does with a body. */
export function start(options) {
  const serializer = new StandardRPCJsonSerializer();
  return measureRoundTrip(
    options,
    (value) => {
      const [json, meta] = serializer.serialize(value);
      return JSON.stringify({ json, meta });
    },
    (text) => {
      const { json, meta } = JSON.parse(text);
      return serializer.deserialize(json, meta);
    },
  );
}
