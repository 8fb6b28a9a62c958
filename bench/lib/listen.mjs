import { once } from "node:events";

/** Has a server listen on a free port of the loopback; it keeps connections for as long as the benchmark wants. */
export async function listen(server) {
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
