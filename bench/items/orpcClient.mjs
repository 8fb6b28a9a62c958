import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/fetch";
import { measureStreams } from "./measureStreams.mjs";

export function start({ port }) {
  const client = createORPCClient(new RPCLink({ url: `http://127.0.0.1:${port}` }));
  return measureStreams((kind, count) => client.rows({ kind, count }));
}
