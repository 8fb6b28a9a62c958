import { expectTypeOf } from "expect-type";
import { globals, r, run, type ExecutionJournal, type Logger, type RunResult, type Store } from "./index";

declare const journal: ExecutionJournal;
declare const signal: AbortSignal;

const five = r
  .resource("five")
  .init(async () => 5 as const)
  .build();
const value = r
  .resource<{ port: number }>("value")
  .init(async () => ({ n: 1 }))
  .build();
const task = r
  .task("task")
  .run(async (input: { a: number }) => input.a)
  .build();
const voidTask = r
  .task("voidTask")
  .run(async () => "s")
  .build();
const event = r.event<{ x: number }>("event").build();
const voidEvent = r.event("voidEvent").build();

// Row 29: the value of the root.
expectTypeOf((await run(five)).value).toEqualTypeOf<5>();
expectTypeOf((await run(r.resource("empty").build())).value).toBeAny();

const app = await run(five);
expectTypeOf(app).toEqualTypeOf<RunResult<5>>();
expectTypeOf(app.logger).toEqualTypeOf<Logger>();
expectTypeOf(app.store).toEqualTypeOf<Store>();

// Row 30, improved: the awaited result, and call options.
expectTypeOf(await app.runTask(task, { a: 1 })).toEqualTypeOf<number>();
await app.runTask(task, { a: 1 }, { journal, signal });
// @ts-expect-error -- a is a number
await app.runTask(task, { a: "s" });
// @ts-expect-error -- the input is missing
await app.runTask(task);
// @ts-expect-error -- no such option
await app.runTask(task, { a: 1 }, { extra: true });
expectTypeOf(await app.runTask(voidTask)).toEqualTypeOf<string>();
await app.runTask(voidTask, undefined, { signal });
// @ts-expect-error -- it has no input
await app.runTask(voidTask, { a: 1 });
expectTypeOf(await app.runTask("some.id", 1, {})).toBeAny();

// Row 31: values and configs.
expectTypeOf(app.getResourceValue(value)).toEqualTypeOf<{ n: number }>();
expectTypeOf(app.getResourceValue("value")).toBeAny();
expectTypeOf(app.getResourceConfig(value)).toEqualTypeOf<{ port: number }>();
expectTypeOf(app.getResourceConfig("value")).toEqualTypeOf<unknown>();
// Whichever of several it is.
declare const either: typeof five | typeof value;
expectTypeOf(app.getResourceValue(either)).toEqualTypeOf<5 | { n: number }>();
expectTypeOf(app.getResourceConfig(either)).toEqualTypeOf<void | { port: number }>();
declare const anyOrId: typeof value | string;
expectTypeOf(app.getResourceValue(anyOrId)).toBeAny();
// @ts-expect-error -- a task has no value
app.getResourceValue(task);

// Row 32, improved: a payload is required unless the event is void.
await app.emitEvent(event, { x: 1 });
// @ts-expect-error -- x is a number
await app.emitEvent(event, { x: "s" });
// @ts-expect-error -- the payload is missing
await app.emitEvent(event);
await app.emitEvent(voidEvent);
await app.emitEvent("event", { anything: true });

// A run ends by name or with `await using`.
expectTypeOf(app.dispose()).toEqualTypeOf<Promise<void>>();
await using disposed = await run(five, { initMode: "parallel", signal, mode: "prod", unroutedPhantoms: "throw" });
expectTypeOf(disposed.value).toEqualTypeOf<5>();
await run(five, { debug: "verbose" });
await run(five, { debug: { logTaskInput: true, logTaskOutput: undefined } });
// @ts-expect-error -- no such level
await run(five, { debug: "loud" });
// @ts-expect-error -- no such flag
await run(five, { debug: { logTaskInputs: true } });
// @ts-expect-error -- off is `undefined`
await run(five, { debug: false });

// Only resources are run.
// @ts-expect-error -- a task is no root
await run(task);
// @ts-expect-error -- a builder is no root
await run(r.resource("x"));

// Row 53: what the framework provides is typed.
const tag = r.tag("tag").build();
r.task("x")
  .dependencies({ queue: globals.resources.queue, store: globals.resources.store, logger: globals.resources.logger })
  .run(async (_: void, { queue, store, logger }) => {
    expectTypeOf(queue.run("id", async (signal: AbortSignal) => Number(signal.aborted))).toEqualTypeOf<
      Promise<number>
    >();
    expectTypeOf(store.getTasksWithTag(tag).map(({ id }) => id)).toEqualTypeOf<string[]>();
    expectTypeOf(logger).toEqualTypeOf<Logger>();
  });
