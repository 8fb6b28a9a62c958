import { expectTypeOf } from "expect-type";
import { override, r, type ExtractTaskOutput } from "../index";

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
