import { check, forms, needsPrevious, programOf } from "./support/chainedTasks";

/**
 * What the checker spends on an application of 200 tasks, each depending on the one before.
 * The limit holds for every form a task is written in: a budget on one form hides the others.
 */
const limit = 80_000;

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
