import { createVirtualProgram, mistakesIn } from "../support/virtualProgram";

/** What a checker spends on large servers and their callers. It takes too long to be among the tests of every change. */

/** The declarations of a server's module, as its build emits them for tasks with schemas in and out. */
const declarationsOf = (taskCount: number): string => {
  const line = (index: number) => `export declare const task${index}: definitions.Task<
    { id: string; at: Date; in${index}: number }, Promise<{ id: string; out${index}: number }>, {},
    { id: string; at?: Date | undefined; in${index}: number }, "app.task${index}", undefined>;`;
  return `import type { definitions } from "@bluelibs/runner";\n${repeat(taskCount, line)}`;
};
const repeat = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");
const namesOf = (count: number) => repeat(count, (index) => `task${index}: "app.task${index}",`);
const tunnelOf = (names: string) =>
  `const tunnel = r.tunnel.client<typeof Server>("shop").tasks({ ${names} }).http({ baseUrl: "x" }).build();
   export const one = r.task("shop.one").dependencies({ call: tunnel.tasks.task0 })
     .run(async (_: void, { call }) => (await call({ id: "", in0: 1 })).out0).build();`;
const clientOf = (names: string) =>
  `const client = createHttpClient<typeof Server>({ baseUrl: "x", tasks: { ${names} } });`;
const callsByName = (count: number) =>
  repeat(count, (index) => `void client.tasks.task${index}({ id: "", in${index}: 1 }).then((got) => got.out${index});`);

// A caller pays for what it names; the limit of one name holds whatever the module has.
it.each([
  [
    "a phantom of one of 3,000 tasks",
    3_000,
    `export const one = r.task.phantom.of<typeof Server.task0>("app.task0");`,
    10_000,
  ],
  ["a tunnel that names one of 3,000 tasks", 3_000, tunnelOf(namesOf(1)), 80_000],
  ["a tunnel that names all of 3,000 tasks", 3_000, tunnelOf(namesOf(3_000)), 450_000],
  ["a client that calls one of 3,000 tasks by name", 3_000, clientOf(namesOf(1)) + callsByName(1), 80_000],
  [
    "a client that names all of 2,000 tasks and calls 300 by name",
    2_000,
    clientOf(namesOf(2_000)) + callsByName(300),
    200_000,
  ],
  [
    "a client that names all of 3,000 tasks and calls them by name",
    3_000,
    clientOf(namesOf(3_000)) + callsByName(3_000),
    700_000,
  ],
])(
  "%s stays within the budget of its caller",
  (_name, taskCount, caller, limit) => {
    const { mistakes, instantiations } = checkCaller(taskCount, caller);

    expect(mistakes).toEqual([]);
    expect(instantiations).toBeLessThan(limit);
  },
  120_000,
);

function checkCaller(taskCount: number, caller: string): { mistakes: string[]; instantiations: number } {
  const imports = `import { createHttpClient, r } from "@bluelibs/runner"; import type * as Server from "./budgetServer";`;
  const program = createVirtualProgram(
    new Map([
      ["src/__tests__/budgetServer.d.ts", declarationsOf(taskCount)],
      ["src/__tests__/budget.ts", `${imports}\n${caller}`],
    ]),
  );
  const mistakes = mistakesIn(program, "src/__tests__/budget.ts").map(({ message }) => message);
  return { mistakes, instantiations: program.getInstantiationCount() };
}

it("2,000 tasks that depend on each other, with schemas of zod in and out, cost at most 1,100 instantiations each", () => {
  const count = 2_000;
  const line = (index: number) => {
    const previous = index === 0 ? "" : `.dependencies({ previous: task${index - 1} })`;
    const body =
      index === 0
        ? "async (input) => ({ id: input.id, out0: input.in0 })"
        : `async (input, { previous }) => {
            const { id, out${index - 1} } = await previous({ id: input.id, in${index - 1}: input.in${index} });
            return { id, out${index}: out${index - 1} };
          }`;
    return `const task${index} = r.task("app.task${index}")
      .inputSchema(z.object({ id: z.string(), in${index}: z.number() }))${previous}
      .resultSchema(z.object({ id: z.string(), out${index}: z.number() }))
      .run(${body}).build();`;
  };
  const path = "src/__tests__/budget.ts";
  const code = `import { r } from "@bluelibs/runner"; import { z } from "zod";
    ${repeat(count, line)}
    export const last = task${count - 1};`;
  const program = createVirtualProgram(new Map([[path, code]]));

  expect(mistakesIn(program, path)).toEqual([]);
  expect(program.getInstantiationCount() / count).toBeLessThanOrEqual(1_100);
}, 120_000);
