import { createVirtualProgram, mistakesIn } from "./virtualProgram";

/** Part of a task of index n: it depends on the one before. */
export const needsPrevious = (index: number) => (index === 0 ? "" : `.dependencies({ previous: task${index - 1} })`);
const schema = "{ parse: (value): { count: number } => value }";

/** How the tasks of a chain are written. */
export const forms: Record<string, (index: number) => string> = {
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

/** An application of tasks, each depending on the one before. */
export function programOf(taskCount: number, form: (index: number) => string): string {
  const tasks = Array.from({ length: taskCount }, (_, index) => {
    return `const task${index} = r.task("app.task${index}")${form(index)}.build();`;
  });
  return `import { r } from "@bluelibs/runner";
    const tag = r.tag("app.tag").build();
    const middleware = r.middleware.task("app.middleware").run(async ({ task, next }) => next(task.input)).build();
    ${tasks.join("\n")}
    export const last = task${taskCount - 1};`;
}

/** What the checker says of a program, and what it spends on it. */
export function check(text: string): { mistakes: string[]; instantiations: number } {
  const program = createVirtualProgram(new Map([["src/__tests__/budget.ts", text]]));
  const mistakes = mistakesIn(program, "src/__tests__/budget.ts").map(({ message }) => message);
  return { mistakes, instantiations: program.getInstantiationCount() };
}
