import { createTRPCClient, httpLink } from "@trpc/client";
import { measureClient } from "./callLoop.mjs";

export function start({ port }) {
  const headers = { "x-runner-token": "dev-secret" };
  const client = createTRPCClient({ links: [httpLink({ url: `http://127.0.0.1:${port}/trpc`, headers })] });
  return measureClient(() => client.add.mutate({ a: 1, b: 2 }));
}
