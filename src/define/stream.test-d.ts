import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { createHttpClient, r, run, type ItemStream } from "../index";
import { createHttpMixedClient } from "../node/index";

type Row = { id: number };
type Total = { total: number };

// Input, items and what the body returns are inferred from the body.
const rows = r
  .task("app.rows")
  .stream(async function* (input: { from: number }) {
    yield { id: input.from };
    return { total: 1 };
  })
  .build();
// Without input and return value.
const ticks = r
  .task("app.ticks")
  .stream(async function* () {
    yield 1;
  })
  .build();
// Schemas type the input, the items and the result; callers pass what the input schema accepts.
const checked = r
  .task("app.checked")
  .inputSchema(z.object({ from: z.number().default(0) }))
  .stream(async function* ({ from }, _dependencies, { signal }) {
    expectTypeOf(from).toEqualTypeOf<number>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    yield { id: from };
    return { total: 1 };
  })
  .itemSchema(z.object({ id: z.number() }))
  .resultSchema(z.object({ total: z.number() }))
  .build();
// Of another process: by type, or by the type of its definition.
const phantom = r.task.phantom.stream<{ from: number }, Row, Total>("app.rows").build();
const phantomTicks = r.task.phantom.stream<undefined, number>("app.ticks").build();
const phantomChecked = r.task.phantom
  .stream("app.checked")
  .inputSchema(z.object({ from: z.number() }))
  .itemSchema(z.object({ id: z.number() }))
  .resultSchema(z.object({ total: z.number() }))
  .build();

// @ts-expect-error -- a promise of an array is no stream
r.task("app.list").stream(async () => [1, 2]);
// @ts-expect-error -- a generator that does not wait is none either
r.task("app.list").stream(function* () {
  yield 1;
});

// Injected callers give the stream at once.
r.task("app.reader")
  .dependencies({ rows, ticks, checked, phantom, phantomTicks, phantomChecked })
  .run(async (_: void, deps) => {
    expectTypeOf(deps.rows({ from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
    expectTypeOf(deps.ticks()).toEqualTypeOf<ItemStream<number, void>>();
    expectTypeOf(deps.checked({})).toEqualTypeOf<ItemStream<Row, Total>>();
    expectTypeOf(deps.phantom({ from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
    expectTypeOf(deps.phantomTicks()).toEqualTypeOf<ItemStream<number, void>>();
    expectTypeOf(deps.phantomChecked({ from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
    deps.rows({ from: 1 }, { signal: AbortSignal.abort() });
    // @ts-expect-error -- the input is missing
    deps.rows();
    // @ts-expect-error -- the input is of another type
    deps.phantom({ from: "1" });

    const stream = deps.rows({ from: 1 });
    for await (const row of stream) expectTypeOf(row).toEqualTypeOf<Row>();
    // Nothing is returned to callers that leave early.
    expectTypeOf(await stream.result).toEqualTypeOf<Total | undefined>();
    // @ts-expect-error -- a stream is no promise
    void stream.then;
  });

// The run gives it at once, too.
const app = await run(r.resource("app").register([rows, ticks]).build());
expectTypeOf(app.runTask(rows, { from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();

// Clients: by definition or by id.
for (const client of [createHttpClient({ baseUrl: "x" }), createHttpMixedClient({ baseUrl: "x" })]) {
  expectTypeOf(client.stream(rows, { from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
  expectTypeOf(client.stream(phantom, { from: 1 }, { timeoutMs: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
  expectTypeOf(client.stream(phantomTicks)).toEqualTypeOf<ItemStream<number, void>>();
  expectTypeOf(client.stream<{ from: number }, Row, Total>("app.rows", { from: 1 })).toEqualTypeOf<
    ItemStream<Row, Total>
  >();
  // @ts-expect-error -- the input is missing
  client.stream(rows);
  const plain = r
    .task("app.plain")
    .run(async () => 1)
    .build();
  // @ts-expect-error -- the task does not stream
  client.stream(plain);
}
