import { createServer } from "node:http";
import { Errors, globals, r, run, type ContractLockFile, type TunnelClient } from "../../../index";
import { createDeferred } from "../../support/deferred";
import { token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import {
  boot,
  changed,
  extended,
  open,
  pullWritten,
  remote,
  routing,
  serveByFetch,
  serveByNode,
  written,
  type Served,
} from "../../support/verifiedShop";

let lock: ContractLockFile;
beforeAll(async () => void (lock = await pullWritten()));

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
