import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { token } from "../exposure/payload.mjs";
import { measureClient } from "../client/callLoop.mjs";

export function start({ port }) {
  const link = httpBatchLink({ url: `http://127.0.0.1:${port}`, headers: { "x-runner-token": token }, maxItems: 64 });
  const client = createTRPCClient({ links: [link] });
  return measureClient(() => client.add.mutate({ a: 1, b: 2 }));
}
