import { callSampler } from "../lib/callSampler.mjs";
import { runOptions } from "../lib/runOptions.mjs";

const input = { a: 1, b: 2 };
const numbered = (count, make) => Array.from({ length: count }, (_, index) => make(index));

/** The rows for a build of the runner, whichever version it is. */
export async function startApp({ r, run }, row) {
  const add = (id) => r.task(id).run(async ({ a, b }) => a + b);

  const wrapped = (count) => {
    const layers = numbered(count, (i) =>
      r.middleware
        .task(`app.middleware.pass${i}`)
        .run(async ({ next, task }) => next(task.input))
        .build(),
    );
    const task = add("app.tasks.add").middleware(layers).build();
    return { items: [...layers, task], call: (app) => () => app.runTask(task, input) };
  };

  const emitted = (count) => {
    const heard = { sum: 0 };
    const event = r.event("app.events.added").build();
    const hooks = numbered(count, (i) =>
      r
        .hook(`app.hooks.on${i}`)
        .on(event)
        .run(async (emission) => {
          heard.sum += emission.data.a;
        })
        .build(),
    );
    return {
      items: [event, ...hooks],
      call: (app) => () => app.emitEvent(event, input),
      check: () => count === 0 || heard.sum > 0,
    };
  };

  const nested = (depth) => {
    const tasks = [add("app.tasks.add0").build()];
    for (let i = 1; i < depth; i++) {
      tasks.push(
        r
          .task(`app.tasks.add${i}`)
          .dependencies({ inner: tasks[i - 1] })
          .run(async (given, { inner }) => (await inner(given)) + 1)
          .build(),
      );
    }
    return { items: tasks, call: (app) => () => app.runTask(tasks[depth - 1], input) };
  };

  const rows = {
    call: () => wrapped(0),
    middleware1: () => wrapped(1),
    middleware5: () => wrapped(5),
    emit0: () => emitted(0),
    emit1: () => emitted(1),
    emit10: () => emitted(10),
    nested5: () => nested(5),
  };

  const { items, call, check = () => true } = rows[row]();
  const app = await run(r.resource("app").register(items).build(), runOptions);
  const measured = call(app);
  await measured();
  if (!check()) throw new Error(`${row} does not do what it should.`);
  return callSampler(measured);
}
