import { r, run, type IResource } from "../../index";

/** Milliseconds per definition that a slow machine still makes; growth beyond linear would exceed it by far. */
const msPerDefinition = 1;

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

it("10,000 tasks boot in linear time", async () => {
  const count = 10_000;
  const base = r
    .task("task0")
    .run(async (n: number) => n)
    .build();
  const tasks = [base];
  for (let index = 1; index < count; index += 1) {
    tasks.push(
      r
        .task(`task${index}`)
        .dependencies({ base })
        .run(async (n: number, { base }) => base(n + index))
        .build(),
    );
  }
  const root = r.resource("app").register(tasks).build();

  const startedAt = performance.now();
  await using app = await run(root);
  const elapsedMs = performance.now() - startedAt;

  expect(await app.runTask("task9999", 1)).toBe(10_000);
  expect(elapsedMs).toBeLessThan(count * msPerDefinition);
});
