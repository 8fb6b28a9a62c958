import { createHttpClient, Errors, globals, nodeExposure, r, run } from "../../../node";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";
import { baseUrlOf, quiet, token } from "../../support/tunnelPair";

const outOfStock = r.error<{ sku: string }>("shop.errors.outOfStock").build();

/** What the other process runs. */
function makeShop() {
  const heard: unknown[] = [];
  const ordered = r.event<{ sku: string; at: Date }>("shop.events.ordered").build();
  const order = r
    .task("shop.tasks.order")
    .run(async (input: { sku: string; at: Date }) => {
      if (input.sku === "none") throw outOfStock.create({ sku: input.sku });
      return new Map([[input.sku, input.at]]);
    })
    .build();
  const hook = r
    .hook("shop.hooks.ordered")
    .on(ordered)
    .run(async ({ data }) => void heard.push(data))
    .build();
  const hidden = r
    .task("shop.tasks.hidden")
    .run(async () => "hidden")
    .build();
  const opened = r.tunnel.server("shop.tunnels.opened").tasks([order]).events([ordered]).build();
  return { heard, items: [ordered, order, hook, hidden, outOfStock, opened] };
}

/** What the process that calls has of it. */
const remoteOrder = r.task.phantom<{ sku: string; at: Date }, Map<string, Date>>("shop.tasks.order").build();
const remoteHidden = r.task.phantom<void, string>("shop.tasks.hidden").build();
const remoteOrdered = r.event<{ sku: string; at: Date }>("shop.events.ordered").build();
const at = new Date(5);

describe("r.tunnel", () => {
  it("r.tunnel opens and routes over HTTP with the config of the application, and keeps values and errors", async () => {
    const shop = makeShop();
    await using server = await run(
      appOf(
        ...shop.items,
        nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, drain: { quietMs: 0 } } }),
      ),
      quiet,
    );
    const routed = r.tunnel
      .client("app.tunnels.shop")
      .tasks([remoteOrder])
      .events([remoteOrdered], { eventDeliveryMode: "remote-only" })
      .http((config: { url: string; secret: string }) => ({ baseUrl: config.url, auth: { token: config.secret } }))
      .build();
    await using app = await run(
      appOf(
        remoteOrder,
        remoteOrdered,
        outOfStock,
        routed.with({ url: baseUrlOf(server.getResourceValue(nodeExposure)), secret: token }),
      ),
      quiet,
    );

    expect(await app.runTask(remoteOrder, { sku: "tea", at })).toEqual(new Map([["tea", at]]));
    const failure = await rejectionOf(app.runTask(remoteOrder, { sku: "none", at }));
    expect(outOfStock.is(failure)).toBe(true);
    await app.emitEvent(remoteOrdered, { sku: "tea", at });
    expect(shop.heard).toEqual([{ sku: "tea", at }]);
  });

  it("r.tunnel routes into another run of the process by .memory, which writes and reads what crosses", async () => {
    const shop = makeShop();
    await using server = await run(appOf(...shop.items), quiet);
    const routed = r.tunnel
      .client("app.tunnels.shop")
      .tasks([remoteOrder, remoteHidden])
      .events([remoteOrdered], { eventDeliveryMode: "remote-only" })
      .memory(async () => server)
      .build();
    await using app = await run(appOf(remoteOrder, remoteHidden, remoteOrdered, routed), quiet);
    const sent = { sku: "tea", at };

    expect(await app.runTask(remoteOrder, sent)).toEqual(new Map([["tea", at]]));
    await app.emitEvent(remoteOrdered, sent);
    expect(shop.heard).toEqual([sent]);
    expect(shop.heard[0]).not.toBe(sent);
    expect(await rejectionOf(app.runTask(remoteHidden))).toMatchObject({ code: "FORBIDDEN" });
    expect(outOfStock.is(await rejectionOf(app.runTask(remoteOrder, { sku: "none", at })))).toBe(true);
  });

  it("r.tunnel shows by .memory no more contexts to what is called than cross between processes", async () => {
    const sent = r.asyncContext<string>("app.contexts.sent").build();
    const unknown = r.asyncContext<string>("app.contexts.unknown").build();
    const local = r.asyncContext<string>("app.contexts.local").local().build();
    const found = () => [sent, unknown, local].filter((each) => each.isActive()).map(({ id }) => id);
    const seen = r.event<{ found?: string[] }>("shop.events.seen").build();
    const heard: unknown[] = [];
    const look = r
      .task("shop.tasks.look")
      .run(async () => found())
      .build();
    const note = r
      .hook("shop.hooks.note")
      .on(seen)
      .run(async () => void heard.push(found()))
      .build();
    const opened = r.tunnel.server("shop.tunnels.opened").tasks([look]).events([seen]).build();
    await using server = await run(appOf(look, seen, note, opened, sent, local), quiet);
    const phantom = r.task.phantom<void, string[]>("shop.tasks.look").build();
    const routed = r.tunnel
      .client("app.tunnels.shop")
      .tasks([phantom])
      .events([seen], { eventDeliveryMode: "remote-only" })
      .memory(server)
      .build();
    await using app = await run(appOf(phantom, seen, routed, sent, unknown, local), quiet);
    const call = async () => {
      await app.emitEvent(seen, {});
      return app.runTask(phantom);
    };

    const within = await unknown.provide("u", () => local.provide("l", call));
    const withAll = await sent.provide("s", () => unknown.provide("u", () => local.provide("l", call)));

    expect([within, withAll]).toEqual([[], [sent.id]]);
    expect(heard).toEqual([[], [sent.id]]);
  });

  it("r.tunnel routes by any client, made with dependencies and config, and closes it with the run", async () => {
    const seen: unknown[] = [];
    const clock = r
      .resource("clock")
      .init(async () => ({ now: () => 7 }))
      .build();
    const routed = r.tunnel
      .client("app.tunnels.shop")
      .tasks(({ id }) => id.startsWith("shop."))
      .dependencies({ clock })
      .connect((config: { prefix: string }, deps) => ({
        task: async (id: string) => `${config.prefix} ${id} ${deps.clock.now()}`,
        event: async () => {},
        close: async () => void seen.push("closed"),
      }))
      .build();
    const app = await run(appOf(clock, remoteHidden, routed.with({ prefix: "by hand:" })), quiet);

    expect(await app.runTask(remoteHidden)).toBe("by hand: shop.tasks.hidden 7");
    await app.dispose();
    expect(seen).toEqual(["closed"]);
  });

  it("r.tunnel names what a builder still lacks, where types do not hold it back", () => {
    const builder = r.tunnel.client("app.tunnels.shop") as unknown as { build(): unknown };

    expect(thrownBy(() => builder.build())).toMatchObject({
      id: "runner.errors.builderIncomplete",
      data: { type: "tunnel", missingFields: ["tasks", "http"] },
    });
    expect(thrownBy(() => (r.tunnel.server("a") as unknown as { build(): unknown }).build())).toMatchObject({
      data: { missingFields: ["tasks"] },
    });
  });
});

it.each<[string, unknown, string]>([
  ["one id", "shop.tasks.order", " must be a list of ids or definitions, or a predicate, got string."],
  ["a definition", remoteOrder, " must be a list of ids or definitions, or a predicate, got object."],
  ["a list with a hole", [undefined], "[0] is undefined: usually a circular import. Name it by its id."],
])(
  "r.tunnel that selects by %s fails the boot, naming the tunnel and what is expected",
  async (_what, given, message) => {
    const tunnel = r.tunnel
      .server("app.tunnels.reachable")
      .tasks(given as never)
      .build();

    expect(await rejectionOf(run(appOf(tunnel)))).toMatchObject({
      id: "runner.errors.invalidTunnel",
      message: `Tunnel tasks of "app.tunnels.reachable"${message}`,
    });
  },
);

describe("topology", () => {
  const memory = () => ({ store: {} }) as never;
  const toShop = r.tunnel
    .client("app.tunnels.shop")
    .tasks([remoteOrder])
    .events([remoteOrdered])
    .memory(memory)
    .build();
  const local = r
    .task("app.tasks.local")
    .run(async () => "here")
    .build();
  const opened = r.tunnel.server("app.tunnels.opened").tasks([local, remoteOrder]).build();
  const byHand = r
    .resource("app.tunnels.byHand")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "server" as const, tasks: [local.id] }))
    .build();

  it("topology says before anything initialises what is opened, routed, unrouted, and not known yet", async () => {
    const app = await run(appOf(remoteOrder, remoteOrdered, remoteHidden, local, toShop, opened, byHand), {
      ...quiet,
      dryRun: true,
    });

    expect(app.topology).toEqual({
      exposed: [
        { id: "app.tasks.local", kind: "task", by: "app.tunnels.opened" },
        { id: "shop.tasks.order", kind: "task", by: "app.tunnels.opened" },
      ],
      routed: [
        { id: "shop.events.ordered", kind: "event", owner: "app.tunnels.shop", delivery: "mirror" },
        { id: "shop.tasks.order", kind: "task", owner: "app.tunnels.shop" },
      ],
      unrouted: ["shop.tasks.hidden"],
      dynamic: ["app.tunnels.byHand"],
    });
  });

  it("topology says what may be listened to, where anything may", async () => {
    const heard = r.tunnel.server("app.tunnels.heard").subscribable([remoteOrdered]).build();
    const app = await run(appOf(remoteOrdered, heard), { ...quiet, dryRun: true });

    expect(app.topology).toMatchObject({
      exposed: [],
      subscribable: [{ id: "shop.events.ordered", by: "app.tunnels.heard" }],
    });
  });

  it("topology of a started run knows tunnels that were written by hand", async () => {
    await using app = await run(appOf(local, byHand), quiet);

    expect(app.topology).toEqual({
      exposed: [{ id: "app.tasks.local", kind: "task", by: "app.tunnels.byHand" }],
      routed: [],
      unrouted: [],
      dynamic: [],
    });
  });

  it.each([
    ["a task that is not registered", [r.tunnel.server("tunnel").tasks([local]).build()], Errors.invalidTunnelError],
    [
      "a task that is undefined, as a circular import gives it",
      [
        r.tunnel
          .server("tunnel")
          .tasks([undefined as unknown as typeof local])
          .build(),
      ],
      Errors.invalidTunnelError,
    ],
    [
      "an event that is not registered",
      [r.tunnel.client("tunnel").events([remoteOrdered]).memory(memory).build()],
      Errors.invalidTunnelError,
    ],
    [
      "a task that two tunnels route",
      [remoteOrder, remoteOrdered, toShop, r.tunnel.client("second").tasks([remoteOrder]).memory(memory).build()],
      Errors.tunnelOwnershipConflictError,
    ],
    [
      "a predicate that throws",
      [
        local,
        r.tunnel
          .server("tunnel")
          .tasks(() => {
            throw new Error("no");
          })
          .build(),
      ],
      Errors.invalidTunnelError,
    ],
  ] as const)("topology finds in a dry run %s", async (_what, items, helper) => {
    const failure = await rejectionOf(run(appOf(...items), { ...quiet, dryRun: true }));

    expect(helper.is(failure)).toBe(true);
  });
});

it("a tunnel of the web entry is called by the web client", async () => {
  expect(typeof createHttpClient).toBe("function");
  const web = await import("../../../index");
  const requests: string[] = [];
  const routed = web.r.tunnel
    .client("app.tunnels.shop")
    .tasks([remoteHidden])
    .http({
      baseUrl: "http://shop.test",
      fetchImpl: async (url) => {
        requests.push(String(url));
        return Response.json({ ok: true, result: "over fetch" });
      },
    })
    .build();
  await using app = await web.run(appOf(remoteHidden, routed), quiet);

  expect(await app.runTask(remoteHidden)).toBe("over fetch");
  expect(requests).toEqual(["http://shop.test/task/shop.tasks.hidden"]);
});
