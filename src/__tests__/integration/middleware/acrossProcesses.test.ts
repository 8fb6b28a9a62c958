import { createServer } from "node:net";
import { once } from "node:events";
import { createHttpMixedClient, globals, r } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import { connect, serve, token } from "../../support/tunnelPair";

const { retry, timeout } = globals.middleware.task;

/** An address at which nothing listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}/__runner`;
}

describe("middleware of the caller around a task of another process", () => {
  it("retry repeats calls that no server took", async () => {
    const delays: number[] = [];
    const delayStrategy = (attempt: number) => {
      delays.push(attempt);
      return 0;
    };
    const phantom = r.task
      .phantom<void, string>("shop.task")
      .middleware([retry.with({ retries: 2, delayStrategy })])
      .tags([globals.tags.tunnelPolicy.with({ client: [retry] })])
      .build();
    await using near = await connect(await closedAddress(), [phantom], { tasks: [phantom] });

    const error = await rejectionOf(near.runTask(phantom));

    expect([(error as { code?: string }).code, delays]).toEqual(["ECONNREFUSED", [0, 1]]);
    expect(error).toMatchObject({ details: { delivered: "no" } });
    expect(error.message).not.toContain("not tried again");
  });

  it("retry says on a line of its own why it does not repeat what another process failed at", async () => {
    const task = r
      .task("shop.task")
      .run(async () => {
        throw new Error("a secret");
      })
      .build();
    const phantom = r.task
      .phantom<void, string>("shop.task")
      .middleware([retry])
      .tags([globals.tags.tunnelPolicy.with({ client: [retry] })])
      .build();
    await using far = await serve([task], { mode: "server", tasks: [task] });
    await using near = await connect(far.baseUrl, [phantom], { tasks: [phantom] });

    const error = await rejectionOf(near.runTask(phantom));

    expect(error.message.split("\n")).toEqual([
      "Internal Error",
      `  task "shop.task": POST ${far.baseUrl}/task/shop.task`,
      '  routed by tunnel "client.tunnel"',
      "  not tried again: this is the reply, so the call was made",
    ]);
  });

  it.each<[string, (typeof globals.tags.idempotent)[], number]>([
    ["does not repeat a call without a reply, which may have been taken", [], 1],
    ["repeats a call without a reply of an idempotent task", [globals.tags.idempotent], 2],
  ])("retry %s, each attempt with the time that the client has for one", async (_what, tags, runs) => {
    let started = 0;
    const begun = createDeferred();
    const task = r
      .task("shop.task")
      .run(async (_input: void, _dependencies, { signal }) => {
        started += 1;
        if (started === 1) begun.resolve();
        if (started === 1) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        return "taken";
      })
      .build();
    const phantom = r.task
      .phantom<void, string>("shop.task")
      .middleware([retry.with({ retries: 1, delayStrategy: () => 0 })])
      .tags([globals.tags.tunnelPolicy.with({ client: [retry] }), ...tags])
      .build();
    await using far = await serve([task], { mode: "server", tasks: [task] });
    await using client = createHttpMixedClient({ baseUrl: far.baseUrl, auth: { token }, timeoutMs: 500 });
    await using near = await connect(far.baseUrl, [phantom], {
      tasks: [phantom],
      run: async ({ id }, input, options) => client.task(id, input, options),
    });

    using time = stopTime();
    const calling = near.runTask(phantom).catch((error: unknown) => error);
    await begun.promise;
    time.advance(500);
    const outcome = await calling;

    expect(started).toBe(runs);
    if (runs === 2) expect(outcome).toBe("taken");
    else expect(outcome).toMatchObject({ name: "AbortError", details: { delivered: "unknown" } });
  });

  it("timeout tells the process that runs the task how much time is left", async () => {
    const task = r
      .task("shop.task")
      .run(async (_input: void, _dependencies, { deadline }) => deadline?.remainingMs)
      .build();
    const phantom = r.task.phantom.of<typeof task>("shop.task", {
      middleware: [timeout.with({ ttl: 60_000 })],
      tags: [globals.tags.tunnelPolicy.with({ client: [timeout] })],
    });
    await using far = await serve([task], { mode: "server", tasks: [task] });
    await using near = await connect(far.baseUrl, [phantom], { tasks: [phantom] });

    const leftMs = await near.runTask(phantom);

    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });
});
