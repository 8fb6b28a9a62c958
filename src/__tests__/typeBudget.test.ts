import { createVirtualProgram, mistakesIn } from "./support/virtualProgram";

/**
 * What the checker spends on an application of 200 tasks, each depending on the one before.
 * The limit holds for every form a task is written in: a budget on one form hides the others.
 */
const limit = 80_000;

const needsPrevious = (index: number) => (index === 0 ? "" : `.dependencies({ previous: task${index - 1} })`);
const schema = "{ parse: (value): { count: number } => value }";

const forms: Record<string, (index: number) => string> = {
  "number outputs": (index) =>
    index === 0
      ? `.run(async (input: number) => input)`
      : `${needsPrevious(index)}.run(async (input: number, { previous }) => (await previous(input)) + ${index})`,

  "object outputs": (index) =>
    index === 0
      ? `.run(async (input: { count: number }) => ({ count: input.count, at0: "x" }))`
      : `${needsPrevious(index)}.run(async (input: { count: number }, { previous }) => {
          const { count, at${index - 1} } = await previous(input);
          return { count, at${index}: at${index - 1} + "x" };
        })`,

  "input schemas and object outputs": (index) =>
    index === 0
      ? `.inputSchema(${schema}).run(async (input) => ({ count: input.count, at0: "x" }))`
      : `.inputSchema(${schema})${needsPrevious(index)}.run(async (input, { previous }) => {
          const { count, at${index - 1} } = await previous(input);
          return { count, at${index}: at${index - 1} + "x" };
        })`,

  "tags, middleware and dependencies": (index) =>
    `.tags([tag])${needsPrevious(index)}.middleware([middleware]).run(async (input: number${
      index === 0 ? ") => input" : `, { previous }) => (await previous(input)) + ${index}`
    })`,
};

function programOf(taskCount: number, form: (index: number) => string): string {
  const tasks = Array.from({ length: taskCount }, (_, index) => {
    return `const task${index} = r.task("app.task${index}")${form(index)}.build();`;
  });
  return `import { r } from "@bluelibs/runner";
    const tag = r.tag("app.tag").build();
    const middleware = r.middleware.task("app.middleware").run(async ({ task, next }) => next(task.input)).build();
    ${tasks.join("\n")}
    export const last = task${taskCount - 1};`;
}

function check(text: string): { mistakes: string[]; instantiations: number } {
  const program = createVirtualProgram(new Map([["src/__tests__/budget.ts", text]]));
  const mistakes = mistakesIn(program, "src/__tests__/budget.ts").map(({ message }) => message);
  return { mistakes, instantiations: program.getInstantiationCount() };
}

it.each(Object.entries(forms))("200 chained tasks with %s stay within the budget", (_name, form) => {
  const { mistakes, instantiations } = check(programOf(200, form));

  expect(mistakes).toEqual([]);
  expect(instantiations).toBeLessThan(limit);
});

/** What a task of a real application costs: schemas of zod in and out, then dependencies, tags and middleware as well. */
const zodSchema = (key: string) => `z.object({ id: z.string(), ${key}: z.number() })`;
const callPrevious = (index: number, id: string) =>
  index === 0
    ? `({ id: ${id}, out0: input.in0 })`
    : `{
        const { id, out${index - 1} } = await previous({ id: ${id}, in${index - 1}: input.in${index} });
        return { id, out${index}: out${index - 1} };
      }`;
const realForms: [name: string, perTask: number, form: (index: number) => string][] = [
  [
    "schemas in and out",
    1_100,
    (index) =>
      `.inputSchema(${zodSchema(`in${index}`)})${needsPrevious(index)}.resultSchema(${zodSchema(`out${index}`)})
       .run(async (input${index === 0 ? "" : ", { previous }"}) => ${callPrevious(index, "input.id")})`,
  ],
  [
    "schemas, dependencies, tags and middleware with configs",
    1_300,
    (index) =>
      `.inputSchema(${zodSchema(`in${index}`)})
       .dependencies({ database, settings${index === 0 ? "" : `, previous: task${index - 1}`} })
       .middleware([cache.with({ ttl: ${index} })]).tags([tag, route.with({ path: "/" })])
       .resultSchema(${zodSchema(`out${index}`)})
       .run(async (input, { database${index === 0 ? "" : ", previous"} }) => ${callPrevious(index, "database.find(input.id)")})`,
  ],
];

it.each(realForms)("a task with %s costs the checker at most %i instantiations", (_name, perTask, form) => {
  const setup = `import { z } from "zod";
    const database = r.resource("database").init(async () => ({ find: (id: string) => id })).build();
    const settings = r.resource("settings").init(async () => ({ n: 1 })).build();
    const cache = r.middleware.task<{ ttl: number }>("cache").run(async ({ task, next }) => next(task.input)).build();
    const route = r.tag<{ path: string }>("route").build();`;
  const { mistakes, instantiations } = check(`${setup}\n${programOf(200, form)}`);

  expect(mistakes).toEqual([]);
  expect(instantiations / 200).toBeLessThan(perTask);
});

it("an annotated task that depends on the one before costs the checker at most 260 instantiations", () => {
  const form = forms["object outputs"]!;
  const few = check(programOf(100, form));
  const many = check(programOf(300, form));

  expect([...few.mistakes, ...many.mistakes]).toEqual([]);
  expect((many.instantiations - few.instantiations) / 200).toBeLessThanOrEqual(260);
});

it("2,000 chained tasks are checked without a type getting too deep", () => {
  const { mistakes } = check(programOf(2_000, forms["input schemas and object outputs"]!));

  expect(mistakes).toEqual([]);
}, 60_000);
