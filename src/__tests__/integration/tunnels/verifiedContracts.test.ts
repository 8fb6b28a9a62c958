import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import {
  createHttpClient,
  Errors,
  globals,
  r,
  run,
  type ContractLockFile,
  type ILog,
  type RegisterableItems,
  type TunnelClient,
} from "../../../index";
import { createDeferred } from "../../support/deferred";
import { createHttpMixedClient, r as node, run as runInNode } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { startFetchEdge } from "../../support/fetchEdge";
import { stopTime } from "../../support/stopTime";

/** A server's tasks and event; what callers give to `charge` can be changed. */
const definitionsOf = (charged: z.ZodType, got: z.ZodType = z.object({ receipt: z.string() })) => ({
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
const written = definitionsOf(z.object({ amount: z.number() }));
const changed = definitionsOf(z.object({ amount: z.number(), currency: z.string() }));
const extended = definitionsOf(z.object({ amount: z.number(), note: z.string().optional() }));
type Served = typeof written;

let lock: ContractLockFile;
beforeAll(async () => {
  await using server = await serveByNode(Object.values(written), "schemas");
  await using client = createHttpClient({ baseUrl: server.baseUrl, auth: { token } });
  ({ lock } = ((await client.discover()) as { contract: { lock: ContractLockFile } }).contract);
});

type Detail = "hashes" | "schemas" | undefined;
interface TestServer extends AsyncDisposable {
  readonly baseUrl: string;
}

async function serveByNode(definitions: readonly RegisterableItems[], contract: Detail): Promise<TestServer> {
  const exposure = await startExposure(definitions as Parameters<typeof startExposure>[0], { contract });
  return {
    baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
    [Symbol.asyncDispose]: () => exposure[Symbol.asyncDispose](),
  };
}

async function serveByFetch(definitions: readonly RegisterableItems[], contract: Detail): Promise<TestServer> {
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

const remote = {
  charge: r.task.phantom<{ amount: number }, Promise<{ receipt: string }>>("shop.tasks.charge").build(),
  ping: r.task.phantom<void, Promise<string>>("shop.tasks.ping").build(),
  placed: r.event<{ amount: number }>("shop.events.placed").build(),
};

let logs: ILog[] = [];
const listener = r
  .resource("app.logs")
  .dependencies({ logger: globals.resources.logger })
  .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
  .build();

// Tunnels initialise before anything else, but for what they depend on.
const routing = () =>
  r.tunnel.client("app.shop").dependencies({ listener }).tasks([remote.charge]).events([remote.placed]);

/** Boots an application with the tunnel. @returns what the tunnel logged */
async function boot(
  tunnel: RegisterableItems,
  items: readonly RegisterableItems[] = Object.values(remote),
  start: typeof run = run,
) {
  logs = [];
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

/** Listens on a free port. @returns the address of an exposure that would be there */
async function open(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/__runner`;
}

describe.each([
  ["nodeExposure", serveByNode],
  ["fetchExposure", serveByFetch],
] as const)("a tunnel that verifies the contract of a server of %s", (_name, serve) => {
  it.each(["hashes", "schemas"] as const)(
    "says nothing where the server is what the lock says, as it shows its %s",
    async (contract) => {
      await using server = await serve(Object.values(written), contract);
      const http = { baseUrl: server.baseUrl, auth: { token } };

      expect(await boot(routing().http(http).verify("throw", lock).build())).toEqual([]);
      expect(await boot(routing().verify("warn", lock).http(http).build())).toEqual([]);
      expect(await boot(routing().verify("throw").http(http).build())).toEqual([]);
    },
  );

  it("says which task differs, and how where the server shows its schemas", async () => {
    await using server = await serve(Object.values(changed), "schemas");
    const http = { baseUrl: server.baseUrl, auth: { token } };
    const differences = [
      { level: "breaking", kind: "task", id: "shop.tasks.charge", message: "input /currency: required" },
    ];

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));
    const logs = await boot(routing().http(http).verify("warn", lock).build());

    expect(Errors.contractMismatchError.is(error) && error.data).toEqual({ tunnelId: "app.shop", differences });
    expect(error.message).toContain('breaking task "shop.tasks.charge": input /currency: required');
    expect(logs).toMatchObject([{ level: "warn", message: error.message, data: { differences } }]);
    expect(await boot(routing().http(http).verify("off", lock).build())).toEqual([]);
    expect(await boot(routing().http(http).build())).toEqual([]);
  });

  it("says that a task differs where the server shows only hashes, and what would show how", async () => {
    await using server = await serve(Object.values(changed), "hashes");
    const http = { baseUrl: server.baseUrl, auth: { token } };

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));

    expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
      {
        level: "unknown",
        kind: "task",
        id: "shop.tasks.charge",
        message: 'changed since the lock was written; how is known only of a server with http.contract: "schemas"',
      },
    ]);
  });

  it("lets additions pass, and logs them", async () => {
    await using server = await serve(Object.values(extended), "schemas");
    const http = { baseUrl: server.baseUrl, auth: { token } };

    const logs = await boot(routing().http(http).verify("throw", lock).build());

    expect(logs).toMatchObject([
      { level: "info", data: { differences: [{ level: "addition", id: "shop.tasks.charge" }] } },
    ]);
  });

  it("compares only what the tunnel names", async () => {
    await using server = await serve(Object.values(changed), "schemas");
    const tunnel = r.tunnel
      .client("app.shop")
      .tasks([remote.ping])
      .http({ baseUrl: server.baseUrl, auth: { token } })
      .verify("throw", lock)
      .build();

    expect(await boot(tunnel)).toEqual([]);
  });

  it("says which ids the server does not have, without a lock as well, and which the lock does not have", async () => {
    await using server = await serve([written.ping, written.placed], "hashes");
    const http = { baseUrl: server.baseUrl, auth: { token } };
    const partial = { ...lock, events: {} };

    const error = await rejectionOf(boot(routing().http(http).verify("throw").build()));
    const other = await rejectionOf(boot(routing().http(http).verify("throw", partial).build()));

    const missing = {
      level: "breaking",
      kind: "task",
      id: "shop.tasks.charge",
      message: "the server does not have it, or not for this caller",
    };
    expect(error).toMatchObject({ id: "runner.errors.contractMismatch", data: { differences: [missing] } });
    expect(other).toMatchObject({
      data: {
        differences: [
          missing,
          { level: "unknown", kind: "event", id: "shop.events.placed", message: "the lock does not have it" },
        ],
      },
    });
  });

  it("says that a server without http.contract does not say its contract", async () => {
    await using server = await serve(Object.values(written), undefined);
    const http = { baseUrl: server.baseUrl, auth: { token } };

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));
    const logs = await boot(routing().http(http).verify("warn").build());

    expect(Errors.contractUnverifiedError.is(error) && error.data).toMatchObject({
      tunnelId: "app.shop",
      code: "NO_CONTRACT",
      reason: "the server does not say its contract.",
      fix: expect.stringContaining('http.contract: "hashes"') as string,
    });
    expect(logs).toMatchObject([{ level: "warn", message: error.message, data: { code: "NO_CONTRACT" } }]);
  });

  it("says with which code a server refused to be asked", async () => {
    await using server = await serve(Object.values(written), "hashes");
    const http = { baseUrl: server.baseUrl, auth: { token: "wrong" } };

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));

    expect(error).toMatchObject({ id: "runner.errors.contractUnverified", data: { code: "UNAUTHORIZED" } });
  });
});

describe("a tunnel whose server cannot be asked", () => {
  it("fails the boot with throw and not with warn where the server is down", async () => {
    const closed = createServer();
    const http = { baseUrl: await open(closed) };
    await new Promise((resolve) => closed.close(resolve));

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));
    const logs = await boot(routing().http(http).verify("warn", lock).build());

    expect(Errors.contractUnverifiedError.is(error) && error.data.reason).toContain("discovery");
    expect(logs).toMatchObject([{ level: "warn", data: { tunnelId: "app.shop" } }]);
  });

  it("waits for a server that does not reply as long as timeoutMs says, and leaves no request behind", async () => {
    const asked = [createDeferred(), createDeferred()];
    const gone: Promise<unknown>[] = [];
    const silent = createServer((req) => {
      gone.push(new Promise((resolve) => req.on("error", () => {}).on("close", resolve)));
      asked[gone.length - 1]?.resolve();
    });
    const http = { baseUrl: await open(silent) };
    using time = stopTime();

    const failed = rejectionOf(boot(routing().http(http).verify("throw", lock, { timeoutMs: 20 }).build()));
    await asked[0]?.promise;
    time.advance(20);
    const error = await failed;
    const warned = boot(routing().http(http).verify("warn", lock, { timeoutMs: 20 }).build());
    await asked[1]?.promise;
    time.advance(20);
    const logs = await warned;
    await Promise.all(gone);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));

    expect(error).toMatchObject({
      data: {
        code: "TIMEOUT",
        reason: expect.stringContaining("the server did not say its contract within 20 ms.") as string,
      },
    });
    expect(logs).toMatchObject([{ level: "warn", data: { code: "TIMEOUT" } }]);
    expect(gone).toHaveLength(2);
  });

  it.each<[string, unknown, string]>([
    ["no discovery", { ok: true, result: "hello" }, "the server does not say its contract."],
    [
      "a contract that is none",
      { ok: true, result: { allowList: { enabled: true, tasks: [], events: [] }, contract: { hash: 1 } } },
      '"contract" has no "hash".',
    ],
    [
      "hashes that are none",
      {
        ok: true,
        result: {
          allowList: { enabled: true, tasks: [], events: [] },
          contract: { hash: "", tasks: { a: 1 }, events: {} },
        },
      },
      '"contract.tasks" holds no hashes.',
    ],
  ])("says so where what replies gives %s", async (_name, reply, reason) => {
    const server = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
    });
    const http = { baseUrl: await open(server) };

    const error = await rejectionOf(boot(routing().http(http).verify("throw", lock).build()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));

    expect(error).toMatchObject({ id: "runner.errors.contractUnverified", data: { reason } });
  });

  it("says so where its client cannot ask, and closes the client as the boot fails", async () => {
    let closed = 0;
    const client = {
      task: async () => {},
      event: async () => {},
      close: async () => void (closed += 1),
    } as TunnelClient;

    const error = await rejectionOf(
      boot(
        routing()
          .connect(() => client)
          .verify("throw", lock)
          .build(),
      ),
    );

    expect(error).toMatchObject({ data: { reason: "its client cannot ask the server." } });
    expect(closed).toBe(1);
  });
});

it("a lock that is none fails the boot with throw, and is logged with warn", async () => {
  await using server = await serveByNode(Object.values(written), "hashes");
  const http = { baseUrl: server.baseUrl, auth: { token } };
  const none = { ...lock, lock: 2 };

  const error = await rejectionOf(boot(routing().http(http).verify("throw", none).build()));
  const logs = await boot(routing().http(http).verify("warn", none).build());

  expect(error).toMatchObject({ data: { reason: 'the lock is none. It is no contract lock: "lock": 1 is missing.' } });
  expect(logs).toMatchObject([{ level: "warn" }]);
});

it.each<[string, unknown, unknown, string]>([
  ["mode", "error", {}, 'Tunnel "app.shop" has verify mode "error".'],
  ["time", "warn", { timeoutMs: 0 }, 'Tunnel "app.shop" has verify timeoutMs 0.'],
])("a verification whose %s makes no sense is refused at boot", async (_name, mode, options, detail) => {
  const tunnel = routing()
    .http({ baseUrl: "http://127.0.0.1:1" })
    .verify(mode as never, lock, options as never)
    .build();

  const error = await rejectionOf(boot(tunnel));

  expect(error).toMatchObject({ id: "runner.errors.invalidTunnel", data: { detail } });
});

it("a tunnel that hears events says which of them the server does not let it listen to", async () => {
  await using server = await serveByNode(Object.values(written), "schemas");
  const tunnel = r.tunnel
    .client("app.shop")
    .hears([remote.placed])
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .verify("throw")
    .build();

  const error = await rejectionOf(boot(tunnel));

  expect(error).toMatchObject({
    data: {
      differences: [
        { kind: "event", id: "shop.events.placed", message: "the server does not let this caller listen to it" },
      ],
    },
  });
});

describe("a tunnel that hears events of a server whose payload may change", () => {
  const placedOf = (payload: z.ZodType) => r.event("shop.events.placed").payloadSchema(payload).build();
  const placed = placedOf(z.object({ amount: z.number() }));
  const shorter = placedOf(z.object({}));
  const longer = placedOf(z.object({ amount: z.number(), note: z.string() }));
  const heard = r.tunnel.server("shop.heard").subscribable(["shop.events.placed"]).build();

  /** @param emits whether callers may emit the event as well */
  async function serve(event: ReturnType<typeof placedOf>, contract: Detail, { emits = false } = {}) {
    const exposure = await startExposure(emits ? [event] : [], { contract }, emits ? [heard] : [event, heard]);
    return {
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      [Symbol.asyncDispose]: () => exposure[Symbol.asyncDispose](),
    };
  }
  const pull = async ({ baseUrl }: TestServer) => {
    await using client = createHttpClient({ baseUrl, auth: { token } });
    return ((await client.discover()) as { contract: { lock: ContractLockFile } }).contract.lock;
  };
  const hearing = ({ baseUrl }: TestServer, written?: ContractLockFile) =>
    r.tunnel
      .client("app.shop")
      .dependencies({ listener })
      .hears([remote.placed])
      .http({ baseUrl, auth: { token } })
      .verify("throw", written)
      .build();

  it.each(["hashes", "schemas"] as const)(
    "says nothing where the payload is that of the lock, as the server shows its %s",
    async (contract) => {
      await using server = await serve(placed, "schemas");
      const written = await pull(server);
      await using same = await serve(placed, contract);

      expect(written.events).toMatchObject({ "shop.events.placed": { access: ["subscribe"] } });
      expect(await boot(hearing(same, written))).toEqual([]);
    },
  );

  it("fails the boot where the payload lacks what it had, and lets pass what it has more", async () => {
    await using before = await serve(placed, "schemas");
    const written = await pull(before);
    await using lacking = await serve(shorter, "schemas");
    await using having = await serve(longer, "schemas");

    const error = await rejectionOf(boot(hearing(lacking, written)));

    const message = "heard payload /amount: removed";
    expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
      { level: "breaking", kind: "event", id: "shop.events.placed", message },
    ]);
    expect(await boot(hearing(having, written))).toMatchObject([{ level: "info" }]);
  });

  it("does not mind what became of emitting, which it does not do", async () => {
    await using before = await serve(placed, "schemas", { emits: true });
    await using now = await serve(placed, "schemas");

    expect(await boot(hearing(now, await pull(before)))).toEqual([]);
    expect(await boot(hearing(before, await pull(now)))).toEqual([]);
  });

  it("says that the lock does not have what it hears where that may be emitted alone", async () => {
    await using server = await serve(placed, "schemas", { emits: true });
    const error = await rejectionOf(boot(hearing(server, lock)));

    expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
      { level: "unknown", kind: "event", id: "shop.events.placed", message: "the lock does not have it" },
    ]);
  });

  it("finds that an event may no longer be emitted, though it may be heard", async () => {
    await using server = await serve(placed, "schemas");
    const emitting = r.tunnel
      .client("app.shop")
      .events([remote.placed])
      .http({ baseUrl: server.baseUrl, auth: { token } })
      .verify("throw")
      .build();
    const error = await rejectionOf(boot(emitting));

    const message = "the server does not have it, or not for this caller";
    expect(error).toMatchObject({ data: { differences: [{ level: "breaking", id: "shop.events.placed", message }] } });
  });
});

describe("a tunnel to several endpoints, as in a rolling deployment, asks each of them", () => {
  const over = (urls: readonly string[], written: ContractLockFile | undefined = lock, options = {}) => {
    const tunnel = nodeRouting().http({ endpoints: urls, auth: { token } });
    return tunnel.verify("throw", written, options).build();
  };
  const bootInNode = (tunnel: RegisterableItems) => boot(tunnel, undefined, runInNode);
  const nodeRouting = () =>
    node.tunnel.client("app.shop").dependencies({ listener }).tasks([remote.charge]).events([remote.placed]);

  it("and says nothing where all are what the lock says", async () => {
    await using one = await serveByNode(Object.values(written), "hashes");
    await using other = await serveByNode(Object.values(written), "schemas");

    expect(await bootInNode(over([one.baseUrl, other.baseUrl]))).toEqual([]);
  });

  it("and fails the boot where one differs, which it names, whichever is the first", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    await using old = await serveByNode(Object.values(changed), "schemas");
    for (const urls of [
      [one.baseUrl, old.baseUrl],
      [old.baseUrl, one.baseUrl],
    ]) {
      const error = await rejectionOf(bootInNode(over(urls)));

      expect(Errors.contractMismatchError.is(error) && error.data.differences).toEqual([
        {
          level: "breaking",
          kind: "task",
          id: "shop.tasks.charge",
          message: `input /currency: required (of ${old.baseUrl})`,
        },
      ]);
    }
  });

  it("and fails the boot where one, which is older, does not say its contract", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    await using old = await serveByNode(Object.values(written), undefined);

    const error = await rejectionOf(bootInNode(over([one.baseUrl, old.baseUrl])));

    expect(error).toMatchObject({
      id: "runner.errors.contractUnverified",
      data: { code: "NO_CONTRACT", reason: `of ${old.baseUrl}: the server does not say its contract.` },
    });
  });

  it("and boots, with a warning, where one is down or does not reply in time, and the others are what the lock says", async () => {
    await using one = await serveByNode(Object.values(written), "schemas");
    const closed = createServer();
    const down = await open(closed);
    await new Promise((resolve) => closed.close(resolve));
    const silent = createServer();
    const hanging = await open(silent);

    const logs = await bootInNode(over([one.baseUrl, down]));
    const later = await bootInNode(over([hanging, one.baseUrl], lock, { timeoutMs: 1_000 }));
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));

    expect(logs).toMatchObject([{ level: "warn", data: { tunnelId: "app.shop", url: down } }]);
    expect(later).toMatchObject([{ level: "warn", data: { tunnelId: "app.shop", url: hanging } }]);
  });

  it("and fails the boot where all are down", async () => {
    const closed = createServer();
    const down = await open(closed);
    await new Promise((resolve) => closed.close(resolve));

    const error = await rejectionOf(bootInNode(over([down, down.replace("127.0.0.1", "localhost")])));

    expect(error).toMatchObject({ id: "runner.errors.contractUnverified" });
  });

  it("and tells an application the same by client.discoverEach()", async () => {
    await using one = await serveByNode(Object.values(written), "hashes");
    await using client = createHttpMixedClient({ endpoints: [one.baseUrl, "http://127.0.0.1:1"], auth: { token } });

    expect(await client.discoverEach()).toMatchObject([
      { url: one.baseUrl, discovery: { contract: { hash: lock.hash } } },
      { url: "http://127.0.0.1:1", error: {} },
    ]);
    await using single = createHttpMixedClient({ baseUrl: one.baseUrl, auth: { token } });
    expect(await single.discoverEach()).toMatchObject([{ url: one.baseUrl, discovery: {} }]);
  });
});

it("a typed client tunnel verifies what it names", async () => {
  await using server = await serveByNode(Object.values(changed), "schemas");
  const tunnel = r.tunnel
    .client<Served>("app.shop")
    .tasks({ charge: "shop.tasks.charge", ping: "shop.tasks.ping" })
    .verify("throw", lock)
    .http({ baseUrl: server.baseUrl, auth: { token } })
    .build();

  const error = await rejectionOf(boot(tunnel, []));

  expect(error).toMatchObject({ data: { differences: [{ id: "shop.tasks.charge" }] } });
});

it("a tunnel that is written by hand verifies in the same way, and a dry run asks no server", async () => {
  let asked = 0;
  const client: TunnelClient = {
    task: async () => {},
    event: async () => {},
    discover: async () => void (asked += 1),
  };
  const tunnel = r
    .resource("app.shop")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client" as const, tasks: [remote.charge], client, verify: { mode: "throw" as const } }))
    .build();
  const app = r.resource("app").register([remote.charge, tunnel]).build();

  await (await run(app, { dryRun: true, shutdownHooks: false })).dispose();
  expect(asked).toBe(0);
  expect(await rejectionOf(boot(tunnel, [remote.charge]))).toMatchObject({ data: { code: "NO_CONTRACT" } });
  expect(asked).toBe(1);
});
