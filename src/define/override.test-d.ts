import { expectTypeOf } from "expect-type";
import {
  globals,
  override,
  r,
  resource,
  type ExtractResourceValue,
  type ExtractTaskOutput,
  type ITask,
  type TunnelRunner,
} from "../index";

const task = r
  .task("task")
  .run(async (input: { a: number }) => input.a)
  .build();
const value = r
  .resource<{ size: number }>("value")
  .init(async ({ size }) => ({ n: size }))
  .build();
const event = r.event<{ x: number }>("event").build();
const hook = r
  .hook("hook")
  .on(event)
  .run(async () => {})
  .build();
const middleware = r.middleware
  .task<{ ttl: number }>("middleware")
  .run(async ({ next }) => next())
  .build();

// Row 49: what a patch may change.
expectTypeOf(override(task, { run: async (input) => input.a })).toEqualTypeOf<typeof task>();
// @ts-expect-error -- the result is a number
override(task, { run: async () => "s" });
// @ts-expect-error -- the id stays
override(task, { id: "x" });
expectTypeOf(override(value, { init: async ({ size }) => ({ n: size }) })).toEqualTypeOf<typeof value>();
// @ts-expect-error -- the value is { n: number }
override(value, { init: async () => ({ n: "s" }) });
// @ts-expect-error -- the id stays
override(value, { id: "x" });
override(hook, { run: async (emission) => expectTypeOf(emission.data).toEqualTypeOf<{ x: number }>() });
// @ts-expect-error -- what it listens to stays
override(hook, { on: event });
override(middleware, {
  run: async ({ next }, _dependencies, config) => {
    expectTypeOf(config).toEqualTypeOf<{ ttl: number }>();
    return next();
  },
});
override(task, { meta: { title: "Other" }, tags: [] });
const flags = r
  .resource("flags")
  .init(async () => ({ isOn: () => false, rate: async () => 1 }))
  .build();
override(flags, { init: async () => ({ isOn: () => true, rate: async () => 2 }) });

// OV-6: the builder keeps the input, and may change the result.
const changed = r
  .override(task)
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<{ a: number }>();
    return String(input.a);
  })
  .build();
expectTypeOf<ExtractTaskOutput<typeof changed>>().toEqualTypeOf<Promise<string>>();
r.override(value)
  .init(async (config) => {
    expectTypeOf(config).toEqualTypeOf<{ size: number }>();
    return { n: 1 };
  })
  .build();
r.override(middleware)
  .run(async ({ next }, _dependencies, config) => {
    expectTypeOf(config).toEqualTypeOf<{ ttl: number }>();
    return next();
  })
  .build();

// Overrides are listed like anything of their kind.
r.resource("app").overrides([changed, override(middleware, {}), null]);
// @ts-expect-error -- an event cannot be overridden
r.override(event);

// An override gives what the base gives: dependants rely on it.
const sameValue = r
  .override(value)
  .init(async () => ({ n: 2 }))
  .build();
expectTypeOf(sameValue).toEqualTypeOf<typeof value>();
r.override(value)
  // @ts-expect-error -- the value is { n: number }
  .init(async () => ({ n: "s" }));
r.override(flags).init(async () => ({ isOn: () => true, rate: async () => 2 }));
r.override(r.resource("empty").build()).init(async () => "anything");

// A tunnel may be overridden with any other: its contract holds, not the keys the base happens to have.
const tunnel = r
  .resource("tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "client", tasks: [task], client: { task: async () => 1, event: async () => {} } }))
  .build();
const inMemory = r
  .override(tunnel)
  .init(async () => ({
    mode: "client",
    tasks: [task],
    run: async (task, input) => {
      expectTypeOf(task).toEqualTypeOf<ITask>();
      expectTypeOf(input).toEqualTypeOf<unknown>();
      return 1;
    },
  }))
  .build();
expectTypeOf<ExtractResourceValue<typeof inMemory>>().toExtend<TunnelRunner>();
// @ts-expect-error -- no such mode
r.override(tunnel).init(async () => ({ mode: "clinet", tasks: [task] }));
override(tunnel, { init: async () => ({ mode: "client", tasks: [task], run: async (task, input) => [task, input] }) });
// @ts-expect-error -- no such mode
override(tunnel, { init: async () => ({ mode: "clinet" }) });
const classicTunnel = resource({ id: "tunnel", tags: [globals.tags.tunnel], init: async () => ({ mode: "client" }) });
r.override(classicTunnel).init(async () => ({ mode: "client", run: async (task, input) => [task, input] }));
override(classicTunnel, { init: async () => ({ mode: "client", run: async (task, input) => [task, input] }) });

// Any other contract is part of what the base gives.
const named = r.tag<void, void, { name: string }>("named").build();
const person = r
  .resource("person")
  .tags([named])
  .init(async () => ({ name: "a", age: 1 }))
  .build();
r.override(person).init(async () => ({ name: "b", age: 2 }));
// @ts-expect-error -- dependants may ask for the age
r.override(person).init(async () => ({ name: "b" }));

// The body of an override receives what the base receives.
const stored = r
  .resource<{ size: number }>("stored")
  .dependencies({ value, task })
  .context(() => ({ opened: 0 }))
  .init(async ({ size }, { value }, context) => ({ size: size + value.n + context.opened }))
  .build();
override(stored, {
  init: async ({ size }, { value, task }, context) => {
    expectTypeOf(value).toEqualTypeOf<{ n: number }>();
    expectTypeOf(task.intercept).toBeFunction();
    expectTypeOf(context).toEqualTypeOf<{ opened: number }>();
    return { size };
  },
  dispose: async (_value, _config, { value }, { opened }) => void [value.n, opened],
});
// @ts-expect-error -- not among the base's dependencies
override(stored, { init: async (_config, { other }) => other });
r.override(stored)
  .init(async ({ size }, { value }, { opened }) => ({ size: size + value.n + opened }))
  .build();
const sized = r
  .task("sized")
  .dependencies({ value })
  .run(async (input: { a: number }, { value }) => input.a + value.n)
  .build();
override(sized, { run: async ({ a }, { value }) => a + value.n });
// @ts-expect-error -- not among the base's dependencies
override(sized, { run: async (_input, { other }) => other });
r.override(sized).run(async ({ a }, { value }) => a + value.n);
const announced = r
  .hook("announced")
  .on(event)
  .dependencies({ sized })
  .run(async () => {})
  .build();
override(announced, { run: async ({ data }, { sized }) => void (await sized({ a: data.x })) });
// @ts-expect-error -- not among the base's dependencies
override(announced, { run: async (_event, { other }) => other });
r.override(announced).run(async ({ data }, { sized }) => void (await sized({ a: data.x })));
const counted = r.middleware
  .task<{ ttl: number }>("counted")
  .dependencies({ value })
  .run(async ({ next }) => next())
  .build();
override(counted, { run: async ({ next, task }, { value }, { ttl }) => next([task.input, value.n, ttl]) });
// @ts-expect-error -- not among the base's dependencies
override(counted, { run: async (_input, { other }) => other });
r.override(counted).run(async ({ next }, { value }, { ttl }) => next([value.n, ttl]));

// Definition objects carry them as well.
const classic = resource({ id: "classic", dependencies: { value }, init: async (_config, { value }) => value.n });
override(classic, { init: async (_config, { value }) => value.n });
// @ts-expect-error -- not among the base's dependencies
override(classic, { init: async (_config, { other }) => other });

// A patch that lists dependencies is given those.
override(sized, { dependencies: { task }, run: async ({ a }, { task }) => task({ a }) });
// @ts-expect-error -- no longer listed
override(sized, { dependencies: { task }, run: async (_input, { value }) => value.n });
override(stored, {
  dependencies: () => ({ sized }),
  init: async ({ size }, { sized }) => ({ size: size + (await sized({ a: 1 })) }),
});
r.override(stored)
  .dependencies(({ size }) => ({ sized: size > 0 ? sized : task }))
  .init(async (_config, { sized, value }) => ({ size: value.n + (await sized({ a: 1 })) }));

// Tasks that differ in their dependencies alone stand for each other.
expectTypeOf(sized).toEqualTypeOf<typeof task>();
expectTypeOf([sized, task]).toEqualTypeOf<ITask<{ a: number }, Promise<number>>[]>();

// Streamed tasks and those that take items are replaced by bodies of their kind.
const rows = r
  .task("rows")
  .stream(async function* (input: { from: number }) {
    yield { id: input.from };
    return { total: 1 };
  })
  .build();
const streamed = override(rows, {
  async *run(input, _dependencies, { signal }) {
    expectTypeOf(input).toEqualTypeOf<{ from: number }>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    yield { id: 1 };
    return { total: 0 };
  },
});
expectTypeOf(streamed).toEqualTypeOf<typeof rows>();
override(rows, {
  // @ts-expect-error -- the items are { id: number }
  async *run() {
    yield { id: "1" };
    return { total: 0 };
  },
});
// @ts-expect-error -- a promise is no stream
override(rows, { run: async () => ({ total: 0 }) });
const summed = r
  .task("summed")
  .itemInput<{ id: number }>()
  .run(async (input: { table: string }, _dependencies, { items }) => {
    let count = 0;
    for await (const { id } of items) count += id;
    return { count, table: input.table };
  })
  .build();
const replaced = override(summed, {
  run: async (input, _dependencies, { items }) => {
    expectTypeOf(input).toEqualTypeOf<{ table: string }>();
    expectTypeOf(items).toEqualTypeOf<AsyncIterable<{ id: number }>>();
    return { count: 0, table: input.table };
  },
});
expectTypeOf(replaced).toEqualTypeOf<typeof summed>();
// @ts-expect-error -- the result has a count
override(summed, { run: async () => ({ table: "a" }) });
const doubled = r
  .task("doubled")
  .itemInput<number>()
  .stream(async function* (input: { by: number }, _dependencies, { items }) {
    for await (const item of items) yield item * input.by;
    return "done";
  })
  .build();
override(doubled, {
  async *run(input, _dependencies, { items }) {
    for await (const item of items) yield item + input.by;
    return "done";
  },
});
