import { expectTypeOf } from "expect-type";
import { z } from "zod";
import {
  journal,
  r,
  task,
  type ExecutionJournal,
  type ExtractTaskInput,
  type ExtractTaskOutput,
  type GivenCallInfo,
  type IPhantomTask,
  type ITask,
  type Schema,
} from "../index";

declare const objectSchema: Schema<{ a: string }>;
declare const numberSchema: Schema<number>;

// Row 1: without annotation or schema there is no input.
const plain = r
  .task("a")
  .run(async () => 1)
  .build();
expectTypeOf<ExtractTaskInput<typeof plain>>().toEqualTypeOf<undefined>();
expectTypeOf<ExtractTaskOutput<typeof plain>>().toEqualTypeOf<Promise<number>>();
expectTypeOf(plain).toExtend<ITask<undefined, Promise<number>>>();

// Row 2: the annotation of `run` is the input.
const annotated = r
  .task("a")
  .run(async (input: { a: number }) => input.a)
  .build();
expectTypeOf<ExtractTaskInput<typeof annotated>>().toEqualTypeOf<{ a: number }>();
expectTypeOf<ExtractTaskOutput<typeof annotated>>().toEqualTypeOf<Promise<number>>();

// Row 3: the schema is the input.
const parsed = r
  .task("a")
  .inputSchema(z.object({ b: z.string() }))
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<{ b: string }>();
    return input.b;
  })
  .build();
expectTypeOf<ExtractTaskInput<typeof parsed>>().toEqualTypeOf<{ b: string }>();
expectTypeOf<ExtractTaskOutput<typeof parsed>>().toEqualTypeOf<Promise<string>>();

// Row 4: schema and annotation must agree.
r.task("a")
  .inputSchema<{ a: string }>(objectSchema)
  // @ts-expect-error -- the schema gives { a: string }
  .run(async (input: { b: number }) => input.b);

// Row 5: a task is asynchronous.
// @ts-expect-error -- a number is no promise
r.task("a").run(() => 1);

// Row 6, improved: the result schema is the result, and `run` has to produce something that fits it.
const checked = r
  .task("a")
  .resultSchema<number>(numberSchema)
  .run(async () => 1)
  .build();
expectTypeOf<ExtractTaskOutput<typeof checked>>().toEqualTypeOf<Promise<number>>();
r.task("a")
  .resultSchema<number>(numberSchema)
  // @ts-expect-error -- the schema gives a number
  .run(async () => "x");

// Row 7, improved: the third parameter is there, typed, in builders and definitions.
r.task("a").run(async (_input: { a: 1 }, _dependencies, { journal, signal }) => {
  expectTypeOf(journal).toEqualTypeOf<ExecutionJournal>();
  expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
});
r.task("a").run(async (_input: { a: 1 }, _dependencies, call) => call.journal);
task({ id: "a", run: async (_input: void, _dependencies, call) => call.signal.aborted });
// Unit tests may leave it out, or the signal in it.
expectTypeOf(annotated.run).parameter(2).toEqualTypeOf<GivenCallInfo | undefined>();
expectTypeOf(annotated.run({ a: 1 }, {}, { journal: journal.create() })).toEqualTypeOf<Promise<number>>();
// @ts-expect-error -- a journal is part of it
void annotated.run({ a: 1 }, {}, {});

// Row 8: a phantom has input and result, and no body.
const phantom = r.task.phantom<{ v: string }, number>("p").build();
expectTypeOf(phantom).toEqualTypeOf<IPhantomTask<{ v: string }, number>>();
expectTypeOf<ExtractTaskInput<typeof phantom>>().toEqualTypeOf<{ v: string }>();
expectTypeOf<ExtractTaskOutput<typeof phantom>>().toEqualTypeOf<Promise<number>>();
expectTypeOf(phantom).toExtend<ITask<{ v: string }, Promise<number>>>();
// @ts-expect-error -- another program runs it
void r.task.phantom("p").run;
const phantomOfSchemas = r.task
  .phantom("p")
  .inputSchema(z.object({ n: z.number() }))
  .resultSchema(z.string())
  .build();
expectTypeOf(phantomOfSchemas).toEqualTypeOf<IPhantomTask<{ n: number }, string>>();
// PH-3: the promise of the classic form is not doubled.
const classicPhantom = task.phantom<{ v: string }, Promise<number>>({ id: "p" });
expectTypeOf<ExtractTaskOutput<typeof classicPhantom>>().toEqualTypeOf<Promise<number>>();

// A phantom of a real task: the result may be given as the promise it is, and `.of` takes both from the task.
const copied = r.task.phantom<ExtractTaskInput<typeof annotated>, ExtractTaskOutput<typeof annotated>>("p").build();
expectTypeOf(copied).toEqualTypeOf<IPhantomTask<{ a: number }, number>>();
const sameAs = r.task.phantom.of<typeof annotated>("a", { tags: [] });
expectTypeOf(sameAs).toEqualTypeOf<typeof annotated>();
expectTypeOf(r.task.phantom.of<typeof plain>("a")).toEqualTypeOf<typeof plain>();
r.task("x")
  .dependencies({ copied, sameAs })
  .run(async (_: void, { copied, sameAs }) => {
    expectTypeOf(await copied({ a: 1 })).toEqualTypeOf<number>();
    expectTypeOf(await sameAs({ a: 1 })).toEqualTypeOf<number>();
    // @ts-expect-error -- the input is that of the real task
    await sameAs({ a: "1" });
  });
// @ts-expect-error -- not a task
r.task.phantom.of<string>("a");

// Row 9: classic tasks infer from the schema, the annotation, or generics.
const classic = task({ id: "a", inputSchema: z.object({ n: z.string() }), run: async (input) => input.n.length });
expectTypeOf<ExtractTaskInput<typeof classic>>().toEqualTypeOf<{ n: string }>();
expectTypeOf<ExtractTaskOutput<typeof classic>>().toEqualTypeOf<Promise<number>>();
const classicAnnotated = task({ id: "a", run: async (input: { q: 1 }) => input.q });
expectTypeOf<ExtractTaskInput<typeof classicAnnotated>>().toEqualTypeOf<{ q: 1 }>();
const classicGeneric = task<{ a: number; b: number }, Promise<number>>({ id: "a", run: async ({ a, b }) => a + b });
expectTypeOf<ExtractTaskInput<typeof classicGeneric>>().toEqualTypeOf<{ a: number; b: number }>();
const classicDependent = task({
  id: "a",
  dependencies: { annotated },
  run: async (input: { n: number }, { annotated }) => annotated({ a: input.n }),
});
expectTypeOf<ExtractTaskOutput<typeof classicDependent>>().toEqualTypeOf<Promise<number>>();

// Row 10: errors by helper or id.
const failed = r.error<{ code: number }>("failed").build();
r.task("a").throws([failed, "id"]);
// @ts-expect-error -- a number names no error
r.task("a").throws([1]);

// Beyond the rows.

// A half-built builder can be exported and finished elsewhere.
export const halfBuilt = r.task("half").dependencies({ annotated });
const finished = halfBuilt.run(async (input: string, { annotated }) => annotated({ a: input.length })).build();
expectTypeOf<ExtractTaskInput<typeof finished>>().toEqualTypeOf<string>();

// An empty list of tags changes nothing.
const untagged = r
  .task("a")
  .tags([])
  .middleware([])
  .run(async (input: number) => input)
  .build();
expectTypeOf<ExtractTaskInput<typeof untagged>>().toEqualTypeOf<number>();

// A generic callback, and one whose branches differ.
r.task("a").run(async <T>(input: T) => input);
const branching = r
  .task("a")
  .run(async (input: boolean) => {
    if (input) return { a: 1 };
    return { b: 2 };
  })
  .build();
expectTypeOf<Awaited<ExtractTaskOutput<typeof branching>>>().toExtend<{
  a?: number | undefined;
  b?: number | undefined;
}>();

// `ITask` holds tasks of all kinds.
const all: ITask[] = [plain, annotated, parsed, phantom, classic, untagged];
expectTypeOf(all).items.toHaveProperty("id");

// DECISIONS 19: `{ parse: (value) => value }` is a schema of any type.
r.task("a")
  .inputSchema<{ msg: string }>({ parse: (value) => value })
  .run(async (input) => input.msg.length);

// The first argument of a schema may be transformed: the input is what comes out.
const transformed = r
  .task("a")
  .inputSchema(z.string().transform((text) => text.length))
  .run(async (input) => input.toFixed())
  .build();
expectTypeOf<ExtractTaskInput<typeof transformed>>().toEqualTypeOf<number>();

// Results have the types that TypeScript gives them anywhere else: a literal is kept where it is asked for.
const literal = r
  .task("a")
  .run(async () => ({ isOn: () => false, kind: "x" as const }))
  .build();
expectTypeOf<ExtractTaskOutput<typeof literal>>().toEqualTypeOf<Promise<{ isOn: () => boolean; kind: "x" }>>();
const classicLiteral = task({ id: "a", run: async () => ({ isOn: () => false, kind: "x" as const }) });
expectTypeOf<ExtractTaskOutput<typeof classicLiteral>>().toEqualTypeOf<Promise<{ isOn: () => boolean; kind: "x" }>>();
