import { createTRPCClient, httpBatchStreamLink } from "@trpc/client";
import { measureStreams } from "./measureStreams.mjs";

export function start({ port }) {
  const client = createTRPCClient({ links: [httpBatchStreamLink({ url: `http://127.0.0.1:${port}` })] });
  return measureStreams((kind, count) => client.rows.query({ kind, count }));
}
