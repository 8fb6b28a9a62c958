import { createServer, request, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createTunnelAdminClient,
  r,
  run,
  tunnelExpose,
  tunnelRelay,
  type RegisterableItems,
  type TunnelRelayConfig,
} from "../../node";
import { quiet } from "./tunnelPair";

const token = "relay-secret";

export interface PublishOptions {
  readonly config?: Partial<TunnelRelayConfig>;
  /** Registered beside the relay. */
  readonly items?: readonly RegisterableItems[];
  readonly name?: string | undefined;
}

/** A relay of an application of its own, and a service that is published through it. */
export async function publish(service: Server | RequestListener, { config, items = [], name }: PublishOptions = {}) {
  const app = await run(
    r
      .resource("app")
      .register([
        ...items,
        tunnelRelay.with({
          listen: { port: 0 },
          portRange: [22_000, 31_999],
          auth: { token },
          drainMs: 200,
          ...config,
        }),
      ])
      .build(),
    { ...quiet, logs: { printThreshold: null } },
  );
  const server = typeof service === "function" ? createServer(service) : service;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = app.getResourceValue(tunnelRelay);
  const { port } = server.address() as AddressInfo;
  const handle = await tunnelExpose({ relay: relay.url, token, port, name });
  return {
    app,
    relay,
    handle,
    port: handle.containerPort,
    url: `http://127.0.0.1:${handle.containerPort}`,
    admin: createTunnelAdminClient({ baseUrl: relay.url, auth: { token } }),
    async [Symbol.asyncDispose]() {
      await handle.close();
      await app.dispose();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One request over a connection of its own; nothing is followed or decoded. */
export function ask(port: number, { method = "GET", path = "/", headers = {}, body }: AskOptions = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode as number,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
