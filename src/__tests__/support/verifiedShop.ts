import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import {
  createHttpClient,
  globals,
  r,
  run,
  type ContractLockFile,
  type ILog,
  type RegisterableItems,
} from "../../index";
import { startExposure, token } from "./exposure";
import { startFetchEdge } from "./fetchEdge";

/** A server's tasks and event; what callers give to `charge` can be changed. */
export const definitionsOf = (charged: z.ZodType, got: z.ZodType = z.object({ receipt: z.string() })) => ({
  charge: r
    .task("shop.tasks.charge")
    .inputSchema(charged)
    .resultSchema(got)
    .run(async () => ({ receipt: "r1" }))
    .build(),
  ping: r
    .task("shop.tasks.ping")
    .run(async () => "pong")
    .build(),
  placed: r
    .event("shop.events.placed")
    .payloadSchema(z.object({ amount: z.number() }))
    .build(),
});
export const written = definitionsOf(z.object({ amount: z.number() }));
export const changed = definitionsOf(z.object({ amount: z.number(), currency: z.string() }));
export const extended = definitionsOf(z.object({ amount: z.number(), note: z.string().optional() }));
export type Served = typeof written;

export type Detail = "hashes" | "schemas" | undefined;
export interface TestServer extends AsyncDisposable {
  readonly baseUrl: string;
}

export async function serveByNode(definitions: readonly RegisterableItems[], contract: Detail): Promise<TestServer> {
  const exposure = await startExposure(definitions as Parameters<typeof startExposure>[0], { contract });
  return {
    baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
    [Symbol.asyncDispose]: () => exposure[Symbol.asyncDispose](),
  };
}

export async function serveByFetch(definitions: readonly RegisterableItems[], contract: Detail): Promise<TestServer> {
  const edge = await startFetchEdge(definitions as Parameters<typeof startFetchEdge>[0], { contract });
  const server = createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const headers = Object.entries(req.headers).map(([name, value]): [string, string] => [name, String(value)]);
      const body = Buffer.concat(chunks);
      const method = req.method as string;
      const request = new Request(`http://edge.test${req.url}`, { method, headers, ...(body.length > 0 && { body }) });
      const response = await edge.handlers.fetch(request);
      res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
    })();
  });
  return {
    baseUrl: await open(server),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await edge[Symbol.asyncDispose]();
    },
  };
}

export const remote = {
  charge: r.task.phantom<{ amount: number }, Promise<{ receipt: string }>>("shop.tasks.charge").build(),
  ping: r.task.phantom<void, Promise<string>>("shop.tasks.ping").build(),
  placed: r.event<{ amount: number }>("shop.events.placed").build(),
};

const logs: ILog[] = [];
export const listener = r
  .resource("app.logs")
  .dependencies({ logger: globals.resources.logger })
  .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
  .build();

// Tunnels initialise before anything else, but for what they depend on.
export const routing = () =>
  r.tunnel.client("app.shop").dependencies({ listener }).tasks([remote.charge]).events([remote.placed]);

/** Boots an application with the tunnel. @returns what the tunnel logged */
export async function boot(
  tunnel: RegisterableItems,
  items: readonly RegisterableItems[] = Object.values(remote),
  start: typeof run = run,
) {
  logs.length = 0;
  const root = r
    .resource("app")
    .register([...items, listener, tunnel])
    .build();
  await using app = await start(root, { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } });
  expect(app.store.resources.has("app.shop")).toBe(true);
  return logs
    .filter(({ source }) => source === "app.shop")
    .map(({ level, message, data }) => ({ level, message: String(message), data: data as Record<string, unknown> }));
}

/** The lock of what a server says that it serves. */
export async function pullLock({ baseUrl }: TestServer): Promise<ContractLockFile> {
  await using client = createHttpClient({ baseUrl, auth: { token } });
  return ((await client.discover()) as { contract: { lock: ContractLockFile } }).contract.lock;
}

/** The lock of what is `written`. */
export async function pullWritten(): Promise<ContractLockFile> {
  await using server = await serveByNode(Object.values(written), "schemas");
  return pullLock(server);
}

/** Listens on a free port. @returns the address of an exposure that would be there */
export async function open(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/__runner`;
}
