import { createVirtualProgram, mistakesIn } from "./support/virtualProgram";

const setup = `
  import { r, run, override } from "@bluelibs/runner";
  const server = r.resource<{ port: number }>("server").init(async ({ port }) => port).build();
  const tag = r.tag<{ path: string }>("tag").build();
  const ofTask = r.middleware.task<{ ttl: number }>("ofTask").run(async ({ next }) => next()).build();
  const ofResource = r.middleware.resource("ofResource").run(async ({ next }) => next()).build();
  const contract = r.tag<void, { id: string }, { name: string }>("contract").build();
  const task = r.task("task").run(async (input: { a: number }) => input.a).build();
`;

/** A mistake, and the sentence that a developer who makes it looks for. */
const mistakes: readonly (readonly [code: string, sentence: string])[] = [
  [
    `r.resource("app").register([server]);`,
    `"this resource needs a config: use .with(config)"' is not assignable to type 'true'`,
  ],
  [
    `r.resource("app").register(server);`,
    `"this resource needs a config: use .with(config)"' is not assignable to type 'true'`,
  ],
  [`void run(server);`, `"this resource needs a config: use .with(config)"' is not assignable to type 'true'`],
  [`r.task("x").tags([tag]);`, `"this tag needs a config: use .with(config)"' is not assignable to type 'true'`],
  [
    `r.task("x").middleware([ofTask]);`,
    `"this middleware needs a config: use .with(config)"' is not assignable to type 'true'`,
  ],
  [`r.task("x").middleware([ofResource]);`, `'"resourceMiddleware"' is not assignable to type '"taskMiddleware"'`],
  [
    `r.resource("x").middleware([ofTask.with({ ttl: 1 })]);`,
    `'"taskMiddleware"' is not assignable to type '"resourceMiddleware"'`,
  ],
  [`r.task("x").run(() => 1);`, `Type 'number' is not assignable to type 'Promise<unknown>'`],
  [
    `r.task("x").tags([contract]).run(async () => ({ nope: 1 }));`,
    `Property 'name' is missing in type '{ nope: number; }'`,
  ],
  [
    `r.task("x").tags([contract]).run(async (i: { q: string }) => ({ name: i.q }));`,
    `InputContractViolationError<{ id: string; }, { q: string; }>`,
  ],
  [`r.task("x").dependencies({ task }).run(async (_: void, { task }) => task());`, `Expected 1-2 arguments, but got 0`],
  [`void run(r.resource("app").build()).then((app) => app.runTask(task));`, `Expected 2-3 arguments, but got 1`],
  [
    `void run(r.resource("app").build()).then((app) => app.runTask(task, { a: "1" }));`,
    `Type 'string' is not assignable to type 'number'`,
  ],
  [`override(task, { run: async () => "s" });`, `Type 'string' is not assignable to type 'number'`],
  [
    `r.resource("app").register([r.task("unbuilt")]);`,
    `Property 'kind' is missing in type 'TaskFluentBuilder<NewTaskShape>'`,
  ],
];

it("type errors name what is wrong, one for each mistake", () => {
  const path = "src/__tests__/mistakes.ts";
  const program = createVirtualProgram(new Map([[path, [setup, ...mistakes.map(([code]) => code)].join("\n")]]));

  const found = mistakesIn(program, path);

  const setupLines = setup.split("\n").length;
  expect(found.map(({ line }) => mistakes[line - setupLines]?.[0])).toEqual(mistakes.map(([code]) => code));
  for (const [index, { message }] of found.entries()) expect(message).toContain(mistakes[index]?.[1]);
}, 60_000);
