import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Rows } from "./connectService.mjs";
import { measureStreams } from "./measureStreams.mjs";

/** JSON, as all others send. */
export function start({ port }) {
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${port}`,
    httpVersion: "1.1",
    useBinaryFormat: false,
  });
  const client = createClient(Rows, transport);
  return measureStreams((kind, count) => client.rows({ kind, count }));
}
