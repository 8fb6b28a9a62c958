import { createServer } from "node:net";
import { once } from "node:events";
import { globals, r } from "../../../node/index";
import { rejectionOf } from "../../support/failures";
import { connect, serve } from "../../support/tunnelPair";

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

  it("timeout tells the process that runs the task how much time is left", async () => {
    const task = r
      .task("shop.task")
      .run(async (_input: void, _dependencies, { deadline }) => deadline?.remainingMs)
      .build();
    const phantom = r.task.phantom
      .of<typeof task>("shop.task")
      .middleware([timeout.with({ ttl: 60_000 })])
      .tags([globals.tags.tunnelPolicy.with({ client: [timeout] })])
      .build();
    await using far = await serve([task], { mode: "server", tasks: [task] });
    await using near = await connect(far.baseUrl, [phantom], { tasks: [phantom] });

    const leftMs = await near.runTask(phantom);

    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });
});
