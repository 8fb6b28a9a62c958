import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { globals, r, resourceMiddleware, taskMiddleware, type ExecutionJournal, type ITask } from "../index";

const required = r.middleware
  .task<{ ttl: number }>("required")
  .run(async ({ next }) => next())
  .build();
const optional = r.middleware
  .task<{ ttl?: number }>("optional")
  .run(async ({ next }) => next())
  .build();
const plain = r.middleware
  .task("plain")
  .run(async ({ next }) => next())
  .build();
const ofResource = r.middleware
  .resource("ofResource")
  .run(async ({ next }) => next())
  .build();
const requiredOfResource = r.middleware
  .resource<{ ttl: number }>("requiredOfResource")
  .run(async ({ next }) => next())
  .build();

// Row 40: middleware with required keys needs its config.
// @ts-expect-error -- it needs its config
r.task("x").middleware([required]);
// @ts-expect-error -- it needs its config
r.resource("x").middleware([requiredOfResource]);
// @ts-expect-error -- it needs its context
r.task("x").middleware([globals.middleware.requireContext]);
r.task("x").middleware([required.with({ ttl: 1 }), optional, optional.with({}), plain, plain.with()]);
r.resource("x").middleware([ofResource, requiredOfResource.with({ ttl: 1 })]);
// @ts-expect-error -- the ttl is a number
required.with({ ttl: "x" });

// Row 41: each kind on its own.
// @ts-expect-error -- it wraps tasks
r.resource("x").middleware([optional]);
// @ts-expect-error -- it wraps resources
r.task("x").middleware([ofResource]);

// Row 46: contracts inside `run`.
const contracted = r.middleware
  .task<void, { b: number }, { name: string }>("contracted")
  .run(async ({ task, next, journal }) => {
    expectTypeOf(task.input).toEqualTypeOf<{ b: number }>();
    expectTypeOf(task.definition).toEqualTypeOf<ITask>();
    expectTypeOf(journal).toEqualTypeOf<ExecutionJournal>();
    const result = await next({ b: 1 });
    expectTypeOf(result).toEqualTypeOf<{ name: string }>();
    return result;
  })
  .build();
r.task("x")
  .middleware([contracted])
  .run(async ({ b }) => ({ name: String(b) }));
r.middleware
  .task<void, { b: number }>("x")
  // @ts-expect-error -- not the input of the contract
  .run(async ({ next }) => next({ wrong: 1 }));
r.middleware.resource<void, { url: string }, { open: boolean }>("x").run(async ({ resource, next }) => {
  expectTypeOf(resource.config).toEqualTypeOf<{ url: string }>();
  expectTypeOf(await next({ url: "x" })).toEqualTypeOf<{ open: boolean }>();
});

// Row 48: classic middleware infers its config from the parameter.
const classic = taskMiddleware({ id: "x", run: async ({ next }, _dependencies, _config: { ttl: number }) => next() });
classic.with({ ttl: 1 });
// @ts-expect-error -- the ttl is a number
classic.with({ ttl: "a" });
const classicOfResource = resourceMiddleware({ id: "x", run: async ({ next }, _deps, _config: { n: 1 }) => next() });
classicOfResource.with({ n: 1 });

// Beyond the rows: the schema is the config, and dependencies see it.
const value = r
  .resource("value")
  .init(async () => 1)
  .build();
r.middleware
  .task("x")
  .configSchema(z.object({ max: z.number() }))
  .dependencies((config) => {
    expectTypeOf(config).toEqualTypeOf<{ max: number }>();
    return { value };
  })
  .everywhere((task) => task.id.startsWith("public."))
  .run(async ({ next }, { value }, config) => {
    expectTypeOf(config).toEqualTypeOf<{ max: number }>();
    expectTypeOf(value).toEqualTypeOf<number>();
    return next();
  });
