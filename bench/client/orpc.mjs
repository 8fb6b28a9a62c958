import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/fetch";
import { measureClient } from "./callLoop.mjs";

export function start({ port }) {
  const link = new RPCLink({
    url: `http://127.0.0.1:${port}/rpc`,
    headers: () => ({ "x-runner-token": "dev-secret" }),
  });
  const client = createORPCClient(link);
  return measureClient(() => client.add({ a: 1, b: 2 }));
}
