import { ours } from "../lib/ours.mjs";
import { token } from "../exposure/payload.mjs";
import { measureStreams } from "./measureStreams.mjs";

/** The Smart client of Node, or the one of pages over Node's fetch. */
export async function start({ port, client: kind }) {
  const config = { baseUrl: `http://127.0.0.1:${port}/__runner`, auth: { token } };
  const { createHttpSmartClient, createHttpClient } = await ours("node/index.js");
  const client = kind === "fetch" ? createHttpClient(config) : createHttpSmartClient(config);
  return measureStreams(
    (kindOfRows, count) => client.stream("app.rows", { kind: kindOfRows, count }),
    (rows) => client.task("app.count", undefined, { items: rows }),
  );
}
