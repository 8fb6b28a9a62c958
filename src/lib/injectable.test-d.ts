import { expectTypeOf } from "expect-type";
import { r, type ExecutionJournal, type IErrorHelper, type IAsyncContext } from "../index";

declare const journal: ExecutionJournal;
const resource = r
  .resource("resource")
  .init(async () => ({ n: 1 }))
  .build();
const event = r.event<{ x: number }>("event").build();
const voidEvent = r.event("voidEvent").build();
const task = r
  .task("task")
  .run(async (input: { a: number }) => input.a)
  .build();
const voidTask = r
  .task("voidTask")
  .run(async () => "s")
  .build();
const error = r.error<{ code: number }>("error").build();
const context = r.asyncContext<{ id: string }>("context").build();

r.task("a")
  .dependencies({ resource, event, voidEvent, task, voidTask, error, context })
  .run(async (_: void, d) => {
    // Row 11: a resource injects its awaited value.
    expectTypeOf(d.resource).toEqualTypeOf<{ n: number }>();

    // Row 12: an event injects its emitter.
    expectTypeOf(d.event).toEqualTypeOf<(input: { x: number }) => Promise<void>>();
    // @ts-expect-error -- the payload is missing
    void d.event();
    // @ts-expect-error -- the payload is of another shape
    void d.event({ x: "s" });

    // Row 13: a void event takes nothing.
    void d.voidEvent();
    void d.voidEvent({});
    // @ts-expect-error -- there is no payload
    void d.voidEvent({ a: 1 });

    // Row 14: a task injects its caller.
    expectTypeOf(d.task({ a: 1 })).toEqualTypeOf<Promise<number>>();
    void d.task({ a: 1 }, { journal });
    // @ts-expect-error -- the input is missing
    void d.task();
    // @ts-expect-error -- the input is of another type
    void d.task({ a: "x" });
    void d.voidTask();
    void d.voidTask(undefined);
    void d.voidTask(undefined, { journal });
    void d.voidTask({ signal: AbortSignal.abort() });
    // @ts-expect-error -- neither an input nor options
    void d.voidTask({ a: 1 });
    expectTypeOf(d.task.id).toEqualTypeOf<string>();

    // Row 15: errors and contexts inject themselves.
    // @ts-expect-error -- the code is a number
    const fail = () => d.error.throw({ code: "x" });
    expectTypeOf(fail).returns.toEqualTypeOf<never>();
    expectTypeOf(d.context.use().id).toEqualTypeOf<string>();

    // Row 17: nothing else is there.
    // @ts-expect-error -- not a dependency
    void d.unknownKey;

    // Row 18: tasks cannot intercept.
    // @ts-expect-error -- only resources can
    void d.task.intercept;
  });

// Row 16: an optional dependency may be absent, of all five kinds.
r.task("a")
  .dependencies({
    resource: resource.optional(),
    event: event.optional(),
    task: task.optional(),
    error: error.optional(),
    context: context.optional(),
  })
  .run(async (_: void, d) => {
    expectTypeOf(d.resource).toEqualTypeOf<{ n: number } | undefined>();
    expectTypeOf(d.event).toEqualTypeOf<((input: { x: number }) => Promise<void>) | undefined>();
    expectTypeOf(d.error).toEqualTypeOf<IErrorHelper<{ code: number }> | undefined>();
    expectTypeOf(d.context).toEqualTypeOf<IAsyncContext<{ id: string }> | undefined>();
    // @ts-expect-error -- it may be absent
    void d.task({ a: 1 });
    expectTypeOf(d.task?.({ a: 1 })).toEqualTypeOf<Promise<number> | undefined>();
  });

// Row 17: maps add up, unless replaced.
r.task("a")
  .dependencies({ resource })
  .dependencies({ event })
  .run(async (_: void, d) => void [d.resource.n, d.event({ x: 1 })]);
r.task("a")
  .dependencies({ resource })
  .dependencies({ event }, { override: true })
  // @ts-expect-error -- replaced
  .run(async (_: void, d) => d.resource);

// Row 18: resources intercept, with the task's own types.
r.resource("a")
  .dependencies({ task, maybe: task.optional(), resource, event, error })
  .init(async (_config, d) => {
    d.task.intercept((next, input) => {
      expectTypeOf(input).toEqualTypeOf<{ a: number }>();
      expectTypeOf(next).returns.toEqualTypeOf<Promise<number>>();
      return next(input);
    });
    d.maybe?.intercept((next, input) => next(input));
    expectTypeOf(d.resource).toEqualTypeOf<{ n: number }>();
    expectTypeOf(d.error.id).toEqualTypeOf<string>();
    await d.event({ x: 1 });
    return d.task({ a: 1 });
  });
r.hook("a")
  .on(event)
  .dependencies({ task })
  // @ts-expect-error -- hooks cannot intercept
  .run(async (_event, d) => d.task.intercept);
r.middleware
  .task("a")
  .dependencies({ task })
  // @ts-expect-error -- middleware cannot intercept
  .run(async (_input, d) => d.task.intercept);

// Row 19: functions infer the same.
r.task("a")
  .dependencies(() => ({ task }))
  .run(async (_: void, d) => d.task({ a: 1 }));
r.resource<{ p: number }>("a")
  .dependencies((config) => {
    expectTypeOf(config).toEqualTypeOf<{ p: number }>();
    return { task };
  })
  .init(async (config, d) => d.task({ a: config.p }));
r.resource("a")
  .dependencies({ resource })
  .dependencies(() => ({ task }))
  .init(async (_config, d) => d.task({ a: d.resource.n }));

// A fragment may name something the reader has to define: it stays usable.
// `any` on purpose: that is what an undefined name is in a copied fragment
declare const dbService: any;
r.task("a")
  .dependencies({ db: dbService, task })
  .run(async (_: void, { db, task }) => {
    expectTypeOf(db).toBeAny();
    return task({ a: 1 });
  });

// What cannot be injected is refused.
const hook = r
  .hook("hook")
  .on("*")
  .run(async () => {})
  .build();
const tag = r.tag("tag").build();
// @ts-expect-error -- a hook injects nothing
r.task("a").dependencies({ hook });
// @ts-expect-error -- a tag injects nothing
r.task("a").dependencies({ tag });
