import { cpuMs } from "../lib/cpu.mjs";
import { runOptions } from "../lib/runOptions.mjs";

const numbered = (count, make) => Array.from({ length: count }, (_, index) => make(index));

/** Applications of some shape; `check` tells from a started one that all of it is there. */
const shapes = {
  /** Tasks that need one resource. */
  tasks(r, size) {
    const numbers = r
      .resource("app.numbers")
      .init(async () => ({ one: 1 }))
      .build();
    const tasks = numbered(size, (i) =>
      r
        .task(`app.tasks.add${i}`)
        .dependencies({ numbers })
        .run(async (input, deps) => input.a + deps.numbers.one)
        .build(),
    );
    return {
      items: [numbers, ...tasks],
      check: async (app) => (await app.runTask(tasks[size - 1], { a: 1 })) === 2,
    };
  },

  /** Resources that each need the one before. */
  chain(r, size) {
    const resources = [];
    for (let i = 0; i < size; i++) {
      const resource = r.resource(`app.links.link${i}`);
      resources.push(
        i === 0
          ? resource.init(async () => 1).build()
          : resource
              .dependencies({ previous: resources[i - 1] })
              .init(async (_config, { previous }) => previous + 1)
              .build(),
      );
    }
    return { items: resources, check: (app) => app.getResourceValue(resources[size - 1]) === size };
  },

  /**
   * One resource that needs all the others. A fifth of what this takes is the application's own: V8 makes a hidden class for
   * each of the 1,000 names that `Object.fromEntries` adds.
   */
  fan(r, size) {
    const blades = numbered(size, (i) =>
      r
        .resource(`app.blades.blade${i}`)
        .init(async () => 1)
        .build(),
    );
    const hub = r
      .resource("app.hub")
      .dependencies(Object.fromEntries(blades.map((blade, i) => [`blade${i}`, blade])))
      .init(async (_config, all) => Object.values(all).reduce((sum, value) => sum + value, 0))
      .build();
    return { items: [...blades, hub], check: (app) => app.getResourceValue(hub) === size };
  },
};

/** Defines and starts an application with a build of the runner, whichever version it is. */
export async function measureBoot({ r, run }, { shape, size }) {
  const started = cpuMs();
  const { items, check } = shapes[shape](r, size);
  const root = r.resource("app").register(items).build();
  const defined = cpuMs();
  const app = await run(root, runOptions);
  const ran = cpuMs();
  if (!(await check(app))) throw new Error(`${shape} of ${size} did not start.`);
  return { define: defined - started, run: ran - defined };
}
