import { createTestResource, override, r, run } from "../../../index";

const clock = r
  .resource("clock")
  .init(async () => "now")
  .build();
const tell = r
  .task("tell")
  .dependencies({ clock })
  .run(async (name: string, { clock }) => `${name}: ${clock}`)
  .build();
const feature = r
  .resource("feature")
  .register([clock, tell])
  .init(async () => "feature")
  .build();

describe("createTestResource", () => {
  it("createTestResource gives the tasks and resources of what it wraps, with overrides", async () => {
    const fixed = override(clock, { init: async () => "then" });

    await using app = await run(createTestResource(feature, { overrides: [fixed] }));

    expect(await app.value.runTask(tell, "a")).toBe("a: then");
    expect(app.value.getResource("feature")).toBe("feature");
    expect(app.value.getResource("unknown")).toBeUndefined();
    expect(app.value.store).toBe(app.store);
  });

  it("createTestResource gives the run's own handles", async () => {
    const heard: string[] = [];
    await using app = await run(createTestResource(feature));
    const { taskRunner, eventManager, logger } = app.value;

    logger.onLog(({ message }) => void heard.push(String(message)));
    await app.logger.info("hello");

    expect(await taskRunner.run(tell, "a")).toBe("a: now");
    expect(eventManager.isLocked).toBe(true);
    expect(heard).toEqual(["hello"]);
  });

  it("createTestResource numbers its harnesses, so that several fit into one process", () => {
    const [first, second] = [createTestResource(feature), createTestResource(feature)];

    const numbers = [first, second].map(({ id }) => Number(/^testing\.feature\.(\d+)$/.exec(id)?.[1]));

    expect(numbers[1]).toBe((numbers[0] ?? 0) + 1);
  });

  it("createTestResource wraps a resource with its config", async () => {
    const port = r
      .resource<{ port: number }>("port")
      .init(async ({ port }) => port)
      .build();

    await using app = await run(createTestResource(port.with({ port: 80 })));

    expect(app.value.getResource("port")).toBe(80);
  });
});

it("definitions can be tested without a run", async () => {
  expect(await tell.run("a", { clock: "noon" })).toBe("a: noon");
  expect(await clock.init?.(undefined, {}, {})).toBe("now");
});
