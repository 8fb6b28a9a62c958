import { measureRoundTrip } from "./measure.mjs";

/** With a build of the runner, whichever version it is: trees as calls send them, graphs in its mode for graphs. */
export function measureRunner({ Serializer }, options) {
  const serializer = new Serializer();
  return options.row === "graph"
    ? measureRoundTrip(
        options,
        (value) => serializer.serialize(value),
        (text) => serializer.deserialize(text),
      )
    : measureRoundTrip(
        options,
        (value) => serializer.stringify(value),
        (text) => serializer.parse(text),
      );
}
