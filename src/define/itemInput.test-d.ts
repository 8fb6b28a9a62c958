import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { createHttpClient, r, run, type ItemStream } from "../index";
import { createHttpMixedClient, createHttpSmartClient } from "../node/index";

type Row = { id: number };

// The body reads the items from its third argument.
const importRows = r
  .task("app.importRows")
  .itemInput<Row>()
  .run(async (input: { table: string }, _dependencies, { items, signal }) => {
    expectTypeOf(items).toEqualTypeOf<AsyncIterable<Row>>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    return { table: input.table, count: 1 };
  })
  .build();
// A schema types them: callers pass what it accepts, the body receives what it gives.
const checked = r
  .task("app.checked")
  .dependencies({ importRows })
  .inputSchema(z.object({ table: z.string().default("rows") }))
  .itemInput(z.object({ at: z.string().transform((text) => new Date(text)) }))
  .run(async ({ table }, dependencies, { items }) => {
    expectTypeOf(table).toEqualTypeOf<string>();
    expectTypeOf(items).toEqualTypeOf<AsyncIterable<{ at: Date }>>();
    expectTypeOf(dependencies.importRows({ table }, { items: [{ id: 1 }] })).toEqualTypeOf<
      Promise<{ table: string; count: number }>
    >();
    return 1;
  })
  .build();
// Without an input.
const count = r
  .task("app.count")
  .itemInput<number>()
  .run(async (_input: undefined, _dependencies, { items }) => {
    let total = 0;
    for await (const item of items) total += item;
    return total;
  })
  .throws(["app.errors.full"])
  .build();
// It may give items as well.
const doubled = r
  .task("app.doubled")
  .itemInput<number>()
  .stream(async function* (input: { by: number }, _dependencies, { items }) {
    for await (const item of items) yield item * input.by;
    return "done";
  })
  .build();
const phantom = r.task.phantom<{ table: string }, number>("app.phantom").itemInput<Row>().build();
const phantomStream = r.task.phantom.stream<{ by: number }, number, string>("app.doubled").itemInput<number>().build();
const phantomChecked = r.task.phantom<{ table: string }, number>("app.phantom").itemInput(z.object({ id: z.number() }));
const remote = r.task.phantom.of<typeof importRows>("app.importRows");

async function* rows(): AsyncGenerator<Row> {
  yield { id: 1 };
}

// Injected callers have to pass items of the type.
r.task("app.caller")
  .dependencies({ importRows, checked, count, doubled, phantom, phantomStream, remote })
  .run(async (_: void, deps) => {
    expectTypeOf(deps.importRows({ table: "a" }, { items: rows() })).toEqualTypeOf<
      Promise<{ table: string; count: number }>
    >();
    expectTypeOf(deps.checked({}, { items: [{ at: "2026" }] })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(deps.count(undefined, { items: [1], signal: AbortSignal.abort() })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(deps.doubled({ by: 2 }, { items: [1] })).toEqualTypeOf<ItemStream<number, string>>();
    expectTypeOf(deps.phantom({ table: "a" }, { items: rows() })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(deps.phantomStream({ by: 1 }, { items: [1] })).toEqualTypeOf<ItemStream<number, string>>();
    expectTypeOf(deps.remote({ table: "a" }, { items: rows() })).toEqualTypeOf<
      Promise<{ table: string; count: number }>
    >();
    // @ts-expect-error -- the items are missing
    void deps.importRows({ table: "a" });
    // @ts-expect-error -- and are so among the options
    void deps.importRows({ table: "a" }, { signal: AbortSignal.abort() });
    // @ts-expect-error -- items of another type
    void deps.importRows({ table: "a" }, { items: [1] });
    // @ts-expect-error -- what the schema gives is not what it accepts
    void deps.checked({}, { items: [{ at: new Date() }] });
    // @ts-expect-error -- the items are missing
    void deps.doubled({ by: 2 });
  });

// Tasks that take none refuse them.
const plain = r
  .task("app.plain")
  .run(async (input: { table: string }) => input.table)
  .build();
r.task("app.other")
  .dependencies({ plain })
  .run(async (_: void, deps) => {
    // @ts-expect-error -- it takes no items
    void deps.plain({ table: "a" }, { items: [] });
  });

// A task that takes items is a task.
const app = await run(r.resource("app").register([importRows, checked, count, doubled]).build());
expectTypeOf(app.runTask(importRows, { table: "a" }, { items: rows() })).toEqualTypeOf<
  Promise<{ table: string; count: number }>
>();
expectTypeOf(app.runTask(doubled, { by: 1 }, { items: [1] })).toEqualTypeOf<ItemStream<number, string>>();
// @ts-expect-error -- the items are missing
void app.runTask(importRows, { table: "a" });

// Clients: by definition.
for (const client of [
  createHttpClient({ baseUrl: "x" }),
  createHttpMixedClient({ baseUrl: "x" }),
  createHttpSmartClient({ baseUrl: "x" }),
]) {
  expectTypeOf(client.task(importRows, { table: "a" }, { items: rows() })).toEqualTypeOf<
    Promise<{ table: string; count: number }>
  >();
  expectTypeOf(client.task(phantomChecked.build(), { table: "a" }, { items: rows() })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(client.task(count, undefined, { items: [1] })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(client.stream(doubled, { by: 1 }, { items: [1] })).toEqualTypeOf<ItemStream<number, string>>();
  void client.task("app.importRows", { table: "a" }, { items: rows() });
  // @ts-expect-error -- the items are missing
  void client.task(importRows, { table: "a" });
  // @ts-expect-error -- items of another type
  void client.task(importRows, { table: "a" }, { items: [1] });
  // @ts-expect-error -- it takes no items
  void client.task(plain, { table: "a" }, { items: rows() });
  // @ts-expect-error -- the items are missing
  client.stream(doubled, { by: 1 });
}

// And by name or id, with the types of a server's module.
const module = { importRows, count, plain };
const typed = createHttpClient<typeof module>({
  baseUrl: "x",
  tasks: { importRows: "app.importRows", count: "app.count" },
});
expectTypeOf(typed.tasks.importRows({ table: "a" }, { items: rows() })).toEqualTypeOf<
  Promise<{ table: string; count: number }>
>();
expectTypeOf(typed.task("app.count", undefined, { items: [1] })).toEqualTypeOf<Promise<number>>();
// @ts-expect-error -- the items are missing
void typed.tasks.importRows({ table: "a" });
// @ts-expect-error -- it takes no items
void typed.task("app.plain", { table: "a" }, { items: rows() });

// Overrides take the same.
r.override(importRows).run(async (input, _dependencies, { items }) => {
  expectTypeOf(input).toEqualTypeOf<{ table: string }>();
  expectTypeOf(items).toEqualTypeOf<AsyncIterable<Row>>();
  return { table: input.table, count: 0 };
});
