import { Errors, r, run, type RegisterableItems, type TunnelRunner } from "../../../node";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";
import { quiet, tunnelOf } from "../../support/tunnelPair";
import { watchUncaught } from "../../support/watchUncaught";

const task = r
  .task("shop.order")
  .run(async () => 1)
  .build();
const event = r.event("shop.ordered").build();
const target = { baseUrl: "http://127.0.0.1:9" };
const settled = () => new Promise((resolve) => setImmediate(resolve));

type Given = never;
const fields: readonly [string, string, (given: Given) => RegisterableItems][] = [
  ["server", "tasks", (given) => r.tunnel.server("t").tasks(given).build()],
  ["server", "events", (given) => r.tunnel.server("t").events(given).build()],
  ["server", "subscribable", (given) => r.tunnel.server("t").subscribable(given).build()],
  ["client", "tasks", (given) => r.tunnel.client("t").tasks(given).http(target).build() as never],
  ["client", "events", (given) => r.tunnel.client("t").events(given).http(target).build() as never],
  ["client", "hears", (given) => r.tunnel.client("t").tasks([]).hears(given).http(target).build() as never],
];

describe.each(fields)("a selection of a %s tunnel by .%s", (_side, field, make) => {
  const single = field === "tasks" ? task : event;

  it.each<[string, unknown]>([
    ["one definition", single],
    ["one id", single.id],
    ["a Set", new Set([single.id])],
    ["a promise", Promise.resolve([single.id])],
    ["null", null],
  ])(
    "a selection that is no list and no predicate is a problem of the boot, which names the tunnel: %s",
    async (_name, given) => {
      const build = async () => run(appOf(task, event, make(given as Given)), { ...quiet, dryRun: true });
      const error = await rejectionOf(build());

      // What is `null` counts as what was not said, unless there is something else.
      if (Errors.builderIncompleteError.is(error)) return void expect(given).toBeNull();
      expect(Errors.invalidTunnelError.is(error)).toBe(true);
      expect(error.message).toMatch(
        /^Tunnel (tasks|events) of "t" must be a list of ids or definitions, or a predicate, got /,
      );
    },
  );

  it("a hole in a selection is a problem of the boot, which names the tunnel and the place", async () => {
    const error = await rejectionOf(run(appOf(task, event, make([undefined] as Given)), { ...quiet, dryRun: true }));

    expect(Errors.invalidTunnelError.is(error)).toBe(true);
    expect(error.message).toMatch(/^Tunnel (tasks|events) of "t"\[0\] is undefined: usually a circular import\./);
  });

  it("an asynchronous predicate is a problem of the boot, and selects nothing whatever it resolves to", async () => {
    using uncaught = watchUncaught();
    const predicate = (async () => {
      throw new Error("beside the point");
    }) as Given;

    const error = await rejectionOf(run(appOf(task, event, make(predicate)), { ...quiet, dryRun: true }));

    expect(Errors.invalidTunnelError.is(error)).toBe(true);
    expect(error.message).toContain("The predicate returned a promise");
    await settled();
    expect(uncaught.seen).toEqual([]);
  });
});

describe.each(["server", "client"] as const)("a %s tunnel that is written by hand", (mode) => {
  it("an asynchronous predicate of a tunnel that is written by hand fails the boot", async () => {
    const value = { mode, tasks: (async () => false) as never, run: async () => 1 } satisfies TunnelRunner;

    const error = await rejectionOf(run(appOf(task, tunnelOf("t", value)), quiet));

    expect(error.message).toContain("The predicate returned a promise");
  });
});

it("a typed client tunnel still takes names, among which there may be any word", async () => {
  const named = r.tunnel
    .client<{ kind: typeof task }>("t")
    .tasks({ kind: "shop.order" } as never)
    .http(target)
    .build() as never as RegisterableItems;

  const { topology } = await run(appOf(named), { ...quiet, dryRun: true });

  expect(topology.routed).toMatchObject([{ id: "shop.order", owner: "t" }]);
});
