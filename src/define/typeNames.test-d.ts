import { expectTypeOf } from "expect-type";
import { definitions, hook, override, r, resource, run, task, taskMiddleware } from "../index";
import type * as root from "../index";

// Annotations as applications of 5.x write them: names with that version's type parameters.

const tag = r.tag("tag").build();
const pathTag = r.tag<{ path: string }>("pathTag").build();
const event = r.event<{ a: number }>("event").build();
const database = r
  .resource("database")
  .init(async () => ({ find: (id: string) => id.length }))
  .build();
const find = r
  .task("find")
  .dependencies({ database })
  .tags([tag])
  .run(async (input: { id: string }, { database }) => database.find(input.id))
  .build();
const listener = r
  .hook("listener")
  .on(event)
  .dependencies({ database })
  .run(async () => {})
  .build();
const cache = r.middleware
  .task<{ ttl: number }>("cache")
  .dependencies({ database })
  .run(async ({ next }) => next())
  .build();
const slow = r.middleware
  .resource<{ ms: number }>("slow")
  .run(async ({ next }) => next())
  .build();
const server = r
  .resource<{ port: number }>("server")
  .dependencies({ database })
  .context(() => ({ open: 1 }))
  .init(async ({ port }) => port)
  .build();

// Definitions.
const tasks: [
  root.ITask,
  root.AnyTask,
  root.ITask<{ id: string }, Promise<number>>,
  root.ITask<{ id: string }, Promise<number>, { database: typeof database }>,
  root.ITask<any, any, any, any, any, any>, // as 5.x examples do
] = [find, find, find, find, find];
const resources: [
  root.IResource,
  root.IResource<any>, // any config
  root.IResource<{ port: number }, Promise<number>>,
  root.IResource<{ port: number }, Promise<number>, { database: typeof database }, { open: number }>,
  root.IResource<any, any, any, any, any, any, any>, // as 5.x examples do
] = [database, database, server, server, server];
const withConfig: [
  root.IResourceWithConfig<{ port: number }, Promise<number>>,
  root.IResourceWithConfig<any, any, any>, // as 5.x examples do
  root.IResourceWithConfig<any, any, any, any, any, any, any>, // as above
] = [server.with({ port: 1 }), server.with({ port: 1 }), server.with({ port: 1 })];
const hooks: [root.IHook, root.IHook<any, any, any>, root.IHook<{ database: typeof database }, typeof event>] = [
  listener,
  listener,
  listener,
];
const middleware: [
  root.ITaskMiddleware<{ ttl: number }>,
  root.ITaskMiddleware<any, any, any, any>, // as 5.x examples do
  root.ITaskMiddlewareConfigured<{ ttl: number }>,
  root.IResourceMiddleware<any, any, any, any>, // as above
  root.IResourceMiddlewareConfigured<{ ms: number }>,
] = [cache, cache, cache.with({ ttl: 1 }), slow, slow.with({ ms: 1 })];
const phantoms: [
  root.IPhantomTask,
  root.IPhantomTask<{ a: 1 }, number>,
  root.IPhantomTask<any, any, any, any, any, any>,
] = [
  r.task.phantom("p").build(),
  r.task.phantom<{ a: 1 }, number>("p").build(),
  r.task.phantom<{ a: 1 }, number>("p").build(),
];
const registered: root.RegisterableItems[] = [find, database, listener, cache, slow, withConfig[0], event, tag];
const overriding: root.OverridableElements[] = [override(find, { run: async () => 1 }), database, listener, null];
void [tasks, resources, hooks, middleware, phantoms, registered, overriding];

// Definition objects, and the definers given one.
const taskDefinition: root.ITaskDefinition<{ id: string }, Promise<number>, { database: typeof database }> = {
  id: "x",
  dependencies: { database },
  run: async ({ id }, { database }) => database.find(id),
};
expectTypeOf(task(taskDefinition)).toEqualTypeOf<root.ITask<{ id: string }, Promise<number>>>();
// @ts-expect-error -- the result is a number
const wrongTask: root.ITaskDefinition<{ id: string }, Promise<number>> = { id: "x", run: async () => "x" };
const resourceDefinition: root.IResourceDefinition<{ port: number }, Promise<number>, { database: typeof database }> = {
  id: "x",
  dependencies: { database },
  init: async ({ port }, { database }) => port + database.find("x"),
};
expectTypeOf(resource(resourceDefinition)).toExtend<root.IResource<{ port: number }, Promise<number>>>();
const hookDefinition: root.IHookDefinition<{ database: typeof database }, typeof event> = {
  id: "x",
  on: event,
  dependencies: { database },
  run: async ({ data }, { database }) => void [data.a, database.find("x")],
};
expectTypeOf(hook(hookDefinition)).toEqualTypeOf<root.IHook<any, typeof event>>();
const middlewareDefinition: root.ITaskMiddlewareDefinition<{ ttl: number }, void, void, { database: typeof database }> =
  { id: "x", dependencies: { database }, run: async ({ next }, { database }, { ttl }) => next([database.find, ttl]) };
taskMiddleware(middlewareDefinition).with({ ttl: 1 });
const loose: [
  root.ITaskDefinition<any, any, any, any, any, any>, // as 5.x examples do
  root.IResourceDefinition<any, any, any, any, any, any, any>, // as above
  root.IHookDefinition<any, any, any>, // as above
  root.ITagDefinition<{ path: string }, any, any>, // as above
] = [{ id: "x", run: async () => 1 }, { id: "x" }, { id: "x", on: event, run: async () => {} }, { id: "x" }];
void [wrongTask, loose];

// Builders.
const taskBuilders: [
  root.TaskFluentBuilder,
  root.TaskFluentBuilder<{ id: string }, Promise<number>>,
  root.TaskFluentBuilder<any, any, any, any, any, any>, // as 5.x examples do
] = [
  r.task("x"),
  r.task("x").run(async (input: { id: string }) => input.id.length),
  r
    .task("x")
    .dependencies({ database })
    .run(async (input: { id: string }) => input.id.length),
];
const resourceBuilders: [
  root.ResourceFluentBuilder,
  root.ResourceFluentBuilder<{ port: number }, Promise<number>>,
  root.ResourceFluentBuilder<any, any, any, any, any, any, any>, // as 5.x examples do
] = [
  r.resource("x"),
  r.resource<{ port: number }>("x").init(async ({ port }) => port),
  r.resource<{ port: number }>("x").dependencies({ database }),
];
const otherBuilders: [
  root.HookFluentBuilder,
  root.HookFluentBuilder<any, any, any>, // as 5.x examples do
  root.HookOverrideBuilder<any, any, any>, // as above
  root.TaskMiddlewareFluentBuilder<{ ttl: number }>,
  root.TaskMiddlewareFluentBuilder<any, any, any, any>, // as above
  root.ResourceMiddlewareFluentBuilder<any, any, any, any>, // as above
  root.PhantomTaskFluentBuilder<{ a: 1 }, number>,
  root.PhantomTaskFluentBuilder<any, any, any, any, any, any>, // as above
  root.ErrorFluentBuilder,
] = [
  r.hook("x"),
  r.hook("x").on(event),
  r.override(listener),
  r.middleware.task<{ ttl: number }>("x"),
  r.middleware.task<{ ttl: number }>("x").dependencies({ database }),
  r.middleware.resource("x"),
  r.task.phantom<{ a: 1 }, number>("x"),
  r.task.phantom<{ a: 1 }, number>("x"),
  r.error("x"),
];
const tagged = <I, O extends Promise<any>>(builder: root.TaskFluentBuilder<I, O>) => builder.tags([tag]).build();
expectTypeOf(tagged(r.task("x").run(async (input: { id: string }) => input.id))).toEqualTypeOf<
  root.ITask<{ id: string }, Promise<string>>
>();
void [taskBuilders, resourceBuilders, otherBuilders];
r.middleware
  .task<{ ttl: number }, void, void, { database: typeof database }>("x")
  .run(async ({ next }, { database }) => next(database.find("x")));

// Documentation of one's own, as 5.x lets any.
r.task("x").meta({ title: "X", owner: "me" });
r.resource("x").meta({ title: "X", owner: "me" });
r.hook("x").on(event).tags([tag]).meta({ title: "X", owner: "me" });
task({ id: "x", meta: { title: "X", owner: "me" }, run: async () => 1 });
interface OwnedMeta extends root.IResourceMeta {
  owner: string;
}
declare const owned: OwnedMeta;
resource({ id: "x", meta: owned });
// @ts-expect-error -- the title is a string
task({ id: "x", meta: { title: 1 }, run: async () => 1 });

// Runs, with the type arguments of 5.x.
expectTypeOf(run<any, any>(database)).resolves.toHaveProperty("value"); // as 5.x examples do
expectTypeOf(run<{ port: number }, Promise<number>>(server.with({ port: 1 })))
  .resolves.toHaveProperty("value")
  .toEqualTypeOf<number>();

// What a definition shows of itself.
const tags: root.TagType[] = find.tags;
const attached: root.TaskMiddlewareAttachmentType[] = find.middleware;
const payloadTags: root.TagType[] = event.tags;
const items = typeof server.register === "function" ? server.register({ port: 1 }) : server.register;
expectTypeOf(items).toEqualTypeOf<root.RegisterableItems[]>();
for (const item of items) {
  if ("resource" in item) expectTypeOf(item.resource.register).toEqualTypeOf(server.register);
  else expectTypeOf(item.id).toEqualTypeOf<string>();
}
expectTypeOf(listener.on.id).toEqualTypeOf<string>();
const targets = (any: root.IHook): string[] =>
  any.on === "*" ? ["*"] : Array.isArray(any.on) ? any.on.map(({ id }) => id) : [any.on.id];
const listed = typeof find.dependencies === "function" ? find.dependencies() : find.dependencies;
expectTypeOf(listed.database).toBeAny();
void [tags, attached, payloadTags, targets, pathTag];

// Members of the constants, as types.
expectTypeOf<definitions.RunnerMode.PROD>().toEqualTypeOf<"prod">();
const production: definitions.RunnerMode.PROD = definitions.RunnerMode.PROD;
const mode: root.RunnerMode = production;
expectTypeOf<definitions.HookDependencyState.Ready>().toEqualTypeOf<"ready">();
const onlyInTests = (given: root.RunnerMode.TEST | root.RunnerMode.DEV) => given;
onlyInTests(definitions.RunnerMode.TEST);
// @ts-expect-error -- the mode is production
onlyInTests(definitions.RunnerMode.PROD);
void mode;

// Contract helpers.
declare const contract: root.ITag<void, { i: 1 }, { o: 2 }>;
type Items = readonly [typeof tag, typeof contract];
expectTypeOf<root.ExtractContractOf<typeof contract, "input">>().toEqualTypeOf<{ i: 1 }>();
expectTypeOf<root.ExtractContractOf<typeof contract, "output">>().toEqualTypeOf<{ o: 2 }>();
expectTypeOf<root.ExtractContractsFromCollection<Items, "input">>().toEqualTypeOf<[{ i: 1 }]>();
expectTypeOf<root.FilterContractsKind<Items, "output">>().toEqualTypeOf<[{ o: 2 }]>();
expectTypeOf<root.ContractsIntersectionInputs<Items>>().toEqualTypeOf<{ i: 1 }>();

// Names of the routing, the clients and the serializer.
const runs: root.TunnelTaskRunner = async (task, input) => [task.id, input];
const keeps: root.TunnelTaskMiddlewarePolicySideConfig[] = [[cache, "other"], { middlewareAllowList: ["other"] }];
const kept: root.TunnelMiddlewareId[] = ["other", cache];
const side: root.TunnelTaskMiddlewareSidePolicy = { middlewareAllowList: kept };
const client: root.HttpCreateClientConfig = { baseUrl: "http://localhost", auth: { token: "t" } };
const auth: root.HttpClientAuthConfig = { token: "t" };
const node: root.SerializedNode = {
  kind: "object",
  value: { at: { __ref: "1" }, when: { __type: "Date", value: "" } },
};
const text: root.SerializedValue[] = [node, "a", null, [1, { b: true }]];
void [runs, keeps, side, client, auth, text];
expectTypeOf<root.TunnelTag>().toExtend<root.ITag<void, void, root.TunnelRunner>>();
expectTypeOf<root.HttpClient>().toExtend<root.TunnelClient>();
expectTypeOf<root.TunnelTagConfig>().toBeObject();
