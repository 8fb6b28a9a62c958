import { r, run } from "../../../index";
import { begin, listen } from "../../support/subscribing";
import { placed, shipped } from "./subscriptionDefinitions";

const start = (...extra: Parameters<ReturnType<typeof r.resource>["register"]>[0][]) =>
  run(
    r
      .resource("app")
      .register([placed, shipped, ...(extra.flat() as [])])
      .build(),
  );

it("a subscription of this process hears what is emitted from the moment its first event is asked for", async () => {
  await using app = await start();
  const events = app.subscribe([placed, shipped])[Symbol.asyncIterator]();
  const first = events.next();
  await app.emitEvent(placed, { order: 1 });
  await app.emitEvent(shipped, { parcel: "a" });

  const heard = [await first, await events.next()].map(({ value }) => [value?.event, value?.payload]);

  expect(heard).toEqual([
    [placed.id, { order: 1 }],
    [shipped.id, { parcel: "a" }],
  ]);
  await events.return?.();
});

it("a subscription of this process hears by id, events of tasks too, and what listeners get", async () => {
  const checked = r
    .event("app.events.checked")
    .payloadSchema({ parse: (value: { n: number }) => ({ n: value.n * 2 }) })
    .build();
  const emitting = r
    .task("app.emitting")
    .dependencies({ checked })
    .run(async (_input: undefined, deps) => deps.checked({ n: 21 }))
    .build();
  await using app = await start([checked, emitting]);
  await using listening = await listen((options) => app.subscribe(["app.events.checked"], options));

  await app.runTask(emitting);

  expect(await listening.payloads(1)).toEqual([{ n: 42 }]);
});

it("subscriptions of this process hear each for themselves, until their loops are left", async () => {
  await using app = await start();
  const one = await listen((options) => app.subscribe([placed], options));
  await using other = await listen((options) => app.subscribe([placed, placed], options));
  await app.emitEvent(placed, { order: 1 });
  await one.next();
  await one[Symbol.asyncDispose]();
  await app.emitEvent(placed, { order: 2 });

  expect(await other.payloads(2)).toEqual([{ order: 1 }, { order: 2 }]);
  expect(await one.end()).toEqual({ done: true, value: undefined });
});

it("a loop that is slower than its events is told what it missed", async () => {
  await using app = await start();
  await using listening = await listen((options) => app.subscribe([placed], options));
  for (let order = 1; order <= 1200; order += 1) await app.emitEvent(placed, { order });

  // The first one had been asked for.
  const heard = await listening.payloads(1001);
  const next = listening.next();
  await app.emitEvent(placed, { order: 1201 });

  expect(heard.at(-1)).toEqual({ order: 1001 });
  expect(listening.gaps).toEqual([{ event: placed.id, reason: "slow", missed: 199 }]);
  expect((await next).payload).toEqual({ order: 1201 });
});

it("a place to go on from is unknown in this process, and told as such", async () => {
  await using app = await start();
  await using listening = await listen((options) => app.subscribe([placed], options), {
    after: { [placed.id]: "e-1" },
  });
  const next = listening.next();
  await app.emitEvent(placed, { order: 1 });

  expect((await next).payload).toEqual({ order: 1 });
  expect(listening.gaps).toEqual([{ event: placed.id, reason: "unknown", missed: null }]);
});

it("a subscription of this process ends with its signal's reason, and without an error when the run ends", async () => {
  const app = await start();
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = await listen((options) => app.subscribe([placed], options), { signal: controller.signal });
  const left = await listen((options) => app.subscribe([placed], options));
  controller.abort(reason);

  await expect(aborted.next()).rejects.toBe(reason);
  await app.dispose();
  expect(await left.end()).toEqual({ done: true, value: undefined });
});

it("a subscription of this process is refused for what is not registered, for nothing, and after the end of the run", async () => {
  const app = await start();
  const other = r.event("app.events.other").build();

  await expect(begin(() => app.subscribe([placed, other])).next()).rejects.toThrow(/app\.events\.other/);
  await expect(begin(() => app.subscribe([])).next()).rejects.toThrow(/with one at least/);
  await app.dispose();
  await expect(begin(() => app.subscribe([placed])).next()).rejects.toMatchObject({ id: "runner.errors.runDisposed" });
});
