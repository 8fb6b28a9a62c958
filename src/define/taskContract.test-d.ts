import { expectTypeOf } from "expect-type";
import { z } from "zod";
import {
  r,
  type ErrorsOf,
  type ExtractTaskInput,
  type IdOf,
  type ITask,
  type RunnerError,
  type Schema,
  type StandardSchema,
  type TaskInput,
} from "../index";

// What a task tells those that call it: id, input and errors.
const insufficientFunds = r
  .error("billing.errors.insufficientFunds")
  .dataSchema(z.object({ missing: z.number() }))
  .build();
const frozen = r.error<{ since: Date }>("billing.errors.frozen").build();
const charge = r
  .task("billing.tasks.charge")
  .inputSchema(
    z.object({ amount: z.number(), currency: z.string().default("EUR"), at: z.string().pipe(z.coerce.date()) }),
  )
  .throws([insufficientFunds, frozen, "billing.errors.closed"])
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<{ amount: number; currency: string; at: Date }>();
    return { id: 1 };
  })
  .build();
const ping = r
  .task("billing.tasks.ping")
  .run(async () => "pong")
  .build();

// The id is a literal, unless an annotation says less.
expectTypeOf<IdOf<typeof charge>>().toEqualTypeOf<"billing.tasks.charge">();
const annotated: ITask<undefined, Promise<string>> = ping;
expectTypeOf<IdOf<typeof annotated>>().toEqualTypeOf<never>();
expectTypeOf(r.task("billing.tasks.ping").id).toEqualTypeOf<"billing.tasks.ping">();

// Callers pass what the schema accepts, `run` receives what it makes.
type Charge = { amount: number; currency?: string | undefined; at: string };
expectTypeOf<TaskInput<typeof charge>>().toEqualTypeOf<Charge>();
expectTypeOf<ExtractTaskInput<typeof charge>>().toEqualTypeOf<{ amount: number; currency: string; at: Date }>();
expectTypeOf<TaskInput<typeof ping>>().toEqualTypeOf<undefined>();
r.task("x")
  .dependencies({ charge })
  .run(async (_: void, deps) => {
    expectTypeOf(await deps.charge({ amount: 1, at: "2026-01-01" })).toEqualTypeOf<{ id: number }>();
    // @ts-expect-error -- the schema takes a text, and makes the date
    await deps.charge({ amount: 1, at: new Date() });
  });

// A schema that does not say what it accepts takes what it makes, in functions that are generic themselves as well.
declare const standard: StandardSchema<{ a: string }>;
const ofStandard = r
  .task("a")
  .inputSchema(standard)
  .run(async ({ a }) => a)
  .build();
expectTypeOf<TaskInput<typeof ofStandard>>().toEqualTypeOf<{ a: string }>();
function generic<T>(schema: Schema<T>) {
  return r
    .task("a")
    .inputSchema(schema)
    .run(async (input: T) => input)
    .build();
}
expectTypeOf<TaskInput<ReturnType<typeof generic<{ n: number }>>>>().toEqualTypeOf<{ n: number }>();

// What it throws is told apart by id. An id that is no literal cannot be, and one without a helper has unknown data.
expectTypeOf<ErrorsOf<typeof charge>>().toEqualTypeOf<
  | (RunnerError<{ missing: number }> & { readonly id: "billing.errors.insufficientFunds" })
  | (RunnerError<unknown> & { readonly id: "billing.errors.closed" })
>();
expectTypeOf<ErrorsOf<typeof ping>>().toEqualTypeOf<never>();
expectTypeOf<ErrorsOf<ITask>>().toEqualTypeOf<never>();

// Tasks, errors and events stay assignable to each other, whatever their ids and errors.
const other = r
  .task("billing.tasks.other")
  .throws([r.error("billing.errors.other").build()])
  .run(async () => "other")
  .build();
const tasks = [ping];
tasks.push(other);
let current = other;
if (tasks.length > 1) current = ping;
const all: ITask[] = [charge, ping, other, current];
const errors = [r.error("a").build()];
errors.push(r.error("b").build());
const events = [r.event("a").build()];
events.push(r.event("b").build());
void all;

// A task whose schema has defaults can be annotated by what it receives.
const defaults = r
  .task("a")
  .inputSchema(z.object({ a: z.number().default(1) }))
  .run(async ({ a }) => a)
  .build();
const receiving: ITask<{ a: number }, Promise<number>> = defaults;
void receiving;

// Overrides keep all of it.
const overridden = r
  .override(charge)
  .run(async ({ at }) => ({ id: at.getTime() }))
  .build();
expectTypeOf(overridden).toEqualTypeOf<typeof charge>();

// Ids of events and errors, unless the type of payload or data is written out.
expectTypeOf<IdOf<ReturnType<ReturnType<typeof r.event<void, "x">>["build"]>>>().toEqualTypeOf<"x">();
const charged = r
  .event("billing.events.charged")
  .payloadSchema(z.object({ id: z.number() }))
  .build();
expectTypeOf<IdOf<typeof charged>>().toEqualTypeOf<"billing.events.charged">();
const written = r.event<string>("billing.events.written").build();
expectTypeOf<IdOf<typeof written>>().toEqualTypeOf<never>();
r.task("x")
  .dependencies({ charged, written })
  .run(async (_: void, deps) => {
    await deps.charged({ id: 1 });
    await deps.written("text");
  });
expectTypeOf(r.error("open").build().create({ anything: 1 }).data).toEqualTypeOf<Record<string, unknown>>();
expectTypeOf(r.error<any>("any").build().create({ anything: 1 }).data).toBeAny();

// Phantoms with a schema: it runs on the caller's side, so callers give what it accepts.
const price = z.object({ sku: z.string(), currency: z.string().default("EUR"), at: z.string().pipe(z.coerce.date()) });
const phantom = r.task.phantom("shop.price").inputSchema(price).resultSchema(z.number()).build();
expectTypeOf<ExtractTaskInput<typeof phantom>>().toEqualTypeOf<z.input<typeof price>>();
const phantomRows = r.task.phantom.stream("shop.rows").inputSchema(price).build();
const phantomImport = r.task
  .phantom("shop.import")
  .inputSchema(z.object({ table: z.string().default("rows") }))
  .itemInput(price)
  .build();
r.task("callers")
  .dependencies({ phantom, phantomRows, phantomImport })
  .run(async (_input: void, deps) => {
    void deps.phantomRows({ sku: "tea", at: "2020-01-01" });
    void deps.phantomImport({}, { items: [{ sku: "tea", at: "2020-01-01" }] });
    return deps.phantom({ sku: "tea", at: "2020-01-01" });
  });
// One that states nothing else gives and takes the same.
const plainSchema = r.task.phantom("plain").inputSchema<{ n: number }>({ parse: (value) => value });
expectTypeOf<ExtractTaskInput<ReturnType<typeof plainSchema.build>>>().toEqualTypeOf<{ n: number }>();
