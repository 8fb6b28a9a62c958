import { Errors, r, run, type IResource } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

it("a chain of 5,000 resources boots and disposes, in either mode", async () => {
  const count = 5_000;
  const disposed: number[] = [];
  const chain: IResource<void, Promise<number>>[] = [];
  for (let index = 0; index < count; index += 1) {
    const previous = chain.at(-1);
    const link = r.resource(`link${index}`).dispose(async () => void disposed.push(index));
    chain.push(
      previous === undefined
        ? link.init(async () => 0).build()
        : link
            .dependencies({ previous })
            .init(async (_config, { previous }) => previous + 1)
            .build(),
    );
  }
  const last = chain.at(-1) as IResource<void, Promise<number>>;
  // Registered backwards, so that the boot has to find the order.
  const root = r
    .resource("app")
    .register(chain.toReversed())
    .dependencies({ last })
    .init(async (_, { last }) => last)
    .build();

  for (const initMode of ["sequential", "parallel"] as const) {
    disposed.length = 0;
    const app = await run(root, { initMode });

    expect(app.value).toBe(count - 1);
    await app.dispose();
    expect(disposed).toHaveLength(count);
    expect(disposed.slice(0, 3)).toEqual([count - 1, count - 2, count - 3]);
  }
});

it("5,000 resources that register one another boot", async () => {
  let nested = r.resource("nested0").build();
  for (let index = 1; index < 5_000; index += 1) nested = r.resource(`nested${index}`).register(nested).build();

  await using app = await run(nested);

  expect(app.store.resources.has("nested0")).toBe(true);
});

it("10,000 tasks boot, and each is asked once what it depends on", async () => {
  const count = 10_000;
  let asked = 0;
  const base = r
    .task("task0")
    .run(async (n: number) => n)
    .build();
  const tasks = [base];
  for (let index = 1; index < count; index += 1) {
    tasks.push(
      r
        .task(`task${index}`)
        .dependencies(() => {
          asked += 1;
          return { base };
        })
        .run(async (n: number, { base }) => base(n + index))
        .build(),
    );
  }

  await using app = await run(appOf(...tasks));

  expect(asked).toBe(count - 1);
  expect(await app.runTask("task9999", 1)).toBe(10_000);
});

it("3,000 hooks that reach 3,000 tasks boot, and an event that comes round is still refused", async () => {
  const count = 3_000;
  const again = r.event<number>("again").build();
  let last = r
    .task("task0")
    .dependencies({ again })
    .run(async (n: number, { again }) => (n === 0 ? undefined : again(n)))
    .build();
  const tasks = [last];
  for (let index = 1; index < count; index += 1) {
    const previous = last;
    last = r
      .task(`task${index}`)
      .dependencies({ previous })
      .run(async (n: number, { previous }) => {
        await Promise.resolve(); // so that the stack does not hold all of them
        return previous(n);
      })
      .build();
    tasks.push(last);
  }
  const events = Array.from({ length: count - 1 }, (_, index) => r.event<number>(`event${index}`).build());
  const hooks = [...events, again].map((event, index) =>
    r
      .hook(`hook${index}`)
      .on(event)
      .dependencies({ last })
      .run(async ({ data }, { last }) => last(data))
      .build(),
  );

  await using app = await run(appOf(...tasks, ...events, again, ...hooks));

  await expect(app.emitEvent("event7", 0)).resolves.toBeUndefined();
  expect(Errors.eventCycleError.is(await rejectionOf(app.emitEvent("event7", 1)))).toBe(true);
});
