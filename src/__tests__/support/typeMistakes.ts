/** What the mistakes are made with. */
export const setup = `
  import { createHttpClient, globals, hook, override, r, resource, run, safe, task as defineTask, type ITask } from "@bluelibs/runner";
  const server = r.resource<{ port: number }>("server").init(async ({ port }) => port).build();
  const tag = r.tag<{ path: string }>("tag").build();
  const ofTask = r.middleware.task<{ ttl: number }>("ofTask").run(async ({ next }) => next()).build();
  const ofResource = r.middleware.resource("ofResource").run(async ({ next }) => next()).build();
  const contract = r.tag<void, { id: string }, { name: string }>("contract").build();
  const task = r.task("task").run(async (input: { a: number }) => input.a).build();
  const event = r.event<{ a: number }>("event").build();
  const routed = r.resource("routed").tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client", tasks: [task], run: async (_task, input) => input })).build();
  const listener = r.hook("listener").on(event).run(async () => {}).build();
  const charge = r.task("billing.charge").run(async (input: { amount: number; at: string }) => input.amount).build();
  const rows = r.task("billing.rows").stream(async function* (input: { from: number }) { yield input.from; }).build();
  const charged = r.event("billing.charged").payloadSchema({ parse: (data) => data as { amount: number } }).build();
  const billing = { charge, rows, charged };
  const client = createHttpClient<typeof billing>({ baseUrl: "/", tasks: { charge: "billing.charge" } });
`;

const unbuilt = `"this is a builder: finish it with .build()"' is not assignable to type`;

const meantName = `Did you mean to write 'charge'?`;
const meantId = `Did you mean '"billing.charge"'?`;
const namedPlain = `not assignable to type '{ readonly id: "billing.rows"; readonly streams: true; }'`;
const wrongEvent = `Type '"billing.chargd"' is not assignable to type '"billing.charged"'`;
const missingField = "Property 'at' is missing in type '{ amount: number; }' but required in type";
const noId = `parameter of type '"the type of this task has no id: leave its annotation out"'`;

/** A mistake, and the sentence that a developer who makes it looks for. */
export const mistakes: readonly (readonly [code: string, sentence: string])[] = [
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
  [
    `r.resource("x").tags([globals.tags.tunnel]).init(async () => ({ mode: "client", tasks: [task] }));`,
    `required in type '{ readonly run: "a client tunnel with tasks needs run or client"; }'`,
  ],
  [
    `r.resource("x").tags([globals.tags.tunnel]).init(async () => ({ mode: "both", events: [event] }));`,
    `required in type '{ readonly emit: "a client tunnel with events needs emit or client"; }'`,
  ],
  [
    `override(routed, { init: async () => ({ mode: "client", tasks: [task] }) });`,
    `required in type '{ readonly run: "a client tunnel with tasks needs run or client"; }'`,
  ],
  [
    `r.override(routed).init(async () => ({ mode: "client", tasks: [task] }));`,
    `required in type '{ readonly run: "a client tunnel with tasks needs run or client"; }'`,
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
  [`resource({ id: "x", register: [task, { id: "y" }] });`, `Property 'kind' is missing in type '{ id: string; }'`],
  [
    `r.resource("app").register([class Service {}]);`,
    `Type 'typeof Service' is missing the following properties from type 'RegisterInput': kind, id`,
  ],

  // Builders where definitions belong.
  [`r.resource("app").register([task, r.task("unbuilt").run(async () => 1)]);`, unbuilt],
  [`r.resource("app").register(r.event("unbuilt"));`, unbuilt],
  [`resource({ id: "x", register: [r.resource("unbuilt")] });`, unbuilt],
  [`r.resource("app").overrides([r.override(task)]);`, unbuilt],
  [`void run(r.resource("unbuilt"));`, unbuilt],
  [`r.task("x").dependencies({ unbuilt: r.task("unbuilt") });`, unbuilt],
  [`defineTask({ id: "x", dependencies: { unbuilt: r.event("unbuilt") }, run: async () => 1 });`, unbuilt],
  [`r.task("x").tags([r.tag("unbuilt")]);`, unbuilt],
  [`r.task("x").middleware([r.middleware.task("unbuilt")]);`, unbuilt],
  [`r.task("x").throws([r.error("unbuilt")]);`, unbuilt],
  [`r.hook("x").on(r.event("unbuilt"));`, unbuilt],
  [`r.hook("x").on([event, r.event("unbuilt")]);`, unbuilt],
  [`hook({ id: "x", on: r.event("unbuilt"), run: async () => {} });`, unbuilt],
  [`override(r.task("unbuilt"), {});`, unbuilt],
  [`r.override(r.hook("unbuilt"));`, unbuilt],
  [`void run(r.resource("app").build()).then((app) => app.runTask(r.task("unbuilt")));`, unbuilt],
  [`void run(r.resource("app").build()).then((app) => app.emitEvent(r.event("unbuilt")));`, unbuilt],
  [`void run(r.resource("app").build()).then((app) => app.getResourceValue(r.resource("unbuilt")));`, unbuilt],

  // What cannot be depended on.
  [
    `r.task("x").dependencies({ server: server.with({ port: 1 }) });`,
    `"depend on the resource itself: its config is given where it is registered"' is not assignable to type 'true'`,
  ],
  [`r.task("x").dependencies({ listener });`, `"a hook has no value to depend on"' is not assignable to type 'true'`],
  [`r.task("x").dependencies({ tag });`, `"a tag has no value to depend on: attach it with .tags([...])"'`],
  [
    `r.task("x").dependencies({ ofTask });`,
    `"a middleware has no value to depend on: attach it with .middleware([...])"'`,
  ],

  // Steps in the wrong order.
  [
    `r.hook("x").run(async () => {});`,
    `parameter of type '"call .on(event) before .run(...): it gives the event its type"'`,
  ],
  [`r.tunnel.server("x").build();`, `method's 'this' of type '"say what is opened first: .tasks([...])`],
  [`r.tunnel.client("x").tasks([task]).build();`, `method's 'this' of type '"say where to first: .http(...)`],
  [`r.tunnel.client<typeof billing>("x").build();`, `method's 'this' of type '"say what is routed and where to:`],

  // What a server's types say of its tasks and events.
  [`r.task.phantom.of<typeof charge>("billing.chrage");`, `parameter of type '"billing.charge"'`],
  [`r.event.phantom.of<typeof charged>("billing.chargd");`, `parameter of type '"billing.charged"'`],
  [`r.task.phantom.of<ITask>("billing.charge");`, noId],
  [`createHttpClient<typeof billing>({ baseUrl: "/", tasks: { chrage: "billing.charge" } });`, meantName],
  [`createHttpClient<typeof billing>({ baseUrl: "/", tasks: { charge: "billing.chrage" } });`, meantId],
  [`createHttpClient<typeof billing>({ baseUrl: "/", tasks: { rows: "billing.rows" } });`, namedPlain],
  [`createHttpClient<typeof billing>({ baseUrl: "/", events: { charged: "billing.chargd" } });`, wrongEvent],
  [`r.tunnel.client<typeof billing>("x").tasks({ chrage: "billing.charge" });`, meantName],
  [`r.tunnel.client<typeof billing>("x").tasks({ charge: "billing.chrage" });`, meantId],
  [`r.tunnel.client<typeof billing>("x").tasks({ rows: "billing.rows" });`, namedPlain],
  [`r.tunnel.client<typeof billing>("x").events({ charged: "billing.chargd" });`, wrongEvent],
  [`void client.task("billing.chrage", { amount: 1, at: "" });`, `parameter of type '"billing.charge"'`],
  [`void client.task("billing.charge", { amount: 1 });`, missingField],
  [`void client.task(charge, { amount: 1 });`, missingField],
  [`void client.tasks.charge({ amount: 1 });`, missingField],
  [`void client.safe(charge, { amount: 1 });`, missingField],
  [`void client.safe("billing.charge", { amount: 1 });`, missingField],
  [
    `r.task("x").dependencies({ charge }).run(async (_: void, deps) => safe(deps.charge, { amount: 1 }));`,
    missingField,
  ],
  [`void client.task("billing.rows", { from: 1 });`, `parameter of type '"billing.charge"'`],
  [`client.stream("billing.charge", { from: 1 });`, `parameter of type '"billing.rows"'`],
  [`void client.event("billing.chargd", { amount: 1 });`, `parameter of type '"billing.charged"'`],
  [`void client.event(charged, { amount: "1" });`, "Type 'string' is not assignable to type 'number'"],
];

/** What other versions of TypeScript than the one of the repository say instead, by mistake. */
export const sentencesOfVersions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "5.4": {
    [`r.resource("app").register(server);`]: "is not assignable to type 'RegisterInput'",
    [`void run(server);`]: `readonly ["this resource needs a config: use .with(config)"] | undefined' is not assignable`,
    [`defineTask({ id: "x", dependencies: { unbuilt: r.event("unbuilt") }, run: async () => 1 });`]: `readonly ["this is a builder: finish it with .build()"] | undefined' is not assignable`,
    [`r.hook("x").on([event, r.event("unbuilt")]);`]: "is not assignable to type 'EventReference<any>'",
    [`hook({ id: "x", on: r.event("unbuilt"), run: async () => {} });`]: "is not assignable to type 'ValidOnTarget'",
  },
  "7.0": {
    // Of overloads it tells what the last one lacks, which takes definitions and ids.
    [`void client.task("billing.chrage", { amount: 1, at: "" });`]: `parameter of type '"billing.charge" | PlainTask'`,
    [`void client.task("billing.rows", { from: 1 });`]: `parameter of type '"billing.charge" | PlainTask'`,
    [`void client.event("billing.chargd", { amount: 1 });`]: `parameter of type '"billing.charged" | IEvent<any, string>'`,
  },
};
