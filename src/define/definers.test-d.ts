import { expectTypeOf } from "expect-type";
import {
  hook,
  resource,
  resourceMiddleware,
  tag,
  task,
  taskMiddleware,
  event as defineEvent,
  type ExtractResourceValue,
  type ExtractTaskOutput,
  type TunnelRunner,
  globals,
} from "../index";

const database = resource({ id: "database", init: async () => ({ find: (id: string) => id.length }) });
const event = defineEvent<{ at: number }>({ id: "event" });
const plainTag = tag({ id: "plain" });
const pathTag = tag<{ path: string }>({ id: "path" });
const plain = taskMiddleware({ id: "plain", run: async ({ next }) => next() });
const ofResource = resourceMiddleware({ id: "ofResource", run: async ({ next }) => next() });

// With type arguments written out TypeScript infers none of the others: what was listed is accepted, and received as `any`.
const cached = taskMiddleware<{ ttl: number }>({
  id: "cached",
  dependencies: { database },
  run: async ({ next, task }, dependencies, { ttl }) => {
    expectTypeOf(dependencies.database).toBeAny();
    expectTypeOf(ttl).toEqualTypeOf<number>();
    return next(task.input);
  },
});
cached.with({ ttl: 1 });
// @ts-expect-error -- the ttl is a number
cached.with({ ttl: "1" });
taskMiddleware<{ ttl: number }>({
  id: "lazy",
  dependencies: ({ ttl }) => (ttl > 0 ? { database } : {}),
  run: async ({ next }, { database }) => next(database),
});
resourceMiddleware<{ ttl: number }>({
  id: "cached",
  dependencies: { database },
  run: async ({ next, resource }, { database }, { ttl }) => next([resource.config, database, ttl]),
});
const typed = task<{ id: string }, Promise<string>>({
  id: "typed",
  dependencies: { database, event },
  middleware: [plain, cached.with({ ttl: 1 })],
  tags: [plainTag, pathTag.with({ path: "/" })],
  run: async ({ id }, { database, event }) => {
    await event({ at: 1 });
    return String(database.find(id));
  },
});
expectTypeOf<ExtractTaskOutput<typeof typed>>().toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- the tag needs its config
task<{ id: string }>({ id: "x", tags: [pathTag], run: async () => 1 });
// @ts-expect-error -- the result is a string
task<{ id: string }, Promise<string>>({ id: "x", run: async () => 1 });
// @ts-expect-error -- the value is a string
resource<void, Promise<string>>({ id: "x", init: async () => 1 });
task<{ id: string }>({ id: "x", dependencies: () => ({ typed }), run: async ({ id }, { typed }) => typed({ id }) });
const server = resource<{ port: number }>({
  id: "server",
  dependencies: { database },
  tags: [plainTag],
  middleware: [ofResource],
  register: ({ port }) => (port > 0 ? [typed] : []),
  init: async ({ port }, { database }) => ({ port, size: database.find("x") }),
  dispose: async (_value, { port }, { database }) => void [port, database],
});
server.with({ port: 1 });
// @ts-expect-error -- the port is a number
server.with({ port: "1" });
resource<{ port: number }, Promise<string>>({
  id: "x",
  dependencies: ({ port }) => (port > 0 ? { database } : {}),
  init: async (_config, { database }) => database.find("x"),
});
// With all of them written out, everything is typed.
task<{ id: string }, Promise<number>, { database: typeof database }>({
  id: "x",
  dependencies: { database },
  run: async ({ id }, { database }) => {
    expectTypeOf(database.find).toEqualTypeOf<(id: string) => number>();
    return database.find(id);
  },
});

// Without type arguments what was not listed is not there.
task({ id: "x", dependencies: { database }, run: async (_: void, { database }) => database.find("x") });
// @ts-expect-error -- nothing was listed
task({ id: "x", run: async (_: void, { database }) => database });
// @ts-expect-error -- nothing was listed
resource({ id: "x", init: async (_config, { database }) => database });
// @ts-expect-error -- nothing was listed
hook({ id: "x", on: event, run: async (_event, { database }) => database });
// @ts-expect-error -- nothing was listed
taskMiddleware({ id: "x", run: async ({ next }, { database }) => next(database) });
// A fragment may list something the reader has to define.
// `any` on purpose: that is what an undefined name is in a copied fragment
declare const undefinedName: any;
task({ id: "x", dependencies: undefinedName, run: async (_: void, { anything }) => anything });

// A mistake in one item leaves the rest of the definition typed.
resource({
  id: "x",
  dependencies: { database },
  // @ts-expect-error -- not a definition
  register: [database, { id: "nothing" }],
  init: async (_config, { database }) => {
    expectTypeOf(database.find).toEqualTypeOf<(id: string) => number>();
    return database.find("x");
  },
});
resource({
  id: "x",
  dependencies: { database },
  tags: [
    plainTag,
    // @ts-expect-error -- the tag needs its config
    pathTag,
  ],
  init: async (_config, { database }) => expectTypeOf(database.find("x")).toEqualTypeOf<number>(),
});

// Tunnels: what `init` returns is typed by the tag, with and without dependencies.
const tunnel = resource({
  id: "tunnel",
  dependencies: { database },
  tags: [plainTag, globals.tags.tunnel],
  register: [database],
  init: async (_config, { database }) => ({
    mode: "client",
    tasks: (task) => database.find(task.id) > 0,
    run: async (task, input) => [task.id, input],
  }),
});
expectTypeOf<ExtractResourceValue<typeof tunnel>>().toEqualTypeOf<TunnelRunner>();
resource({ id: "tunnel", tags: [globals.tags.tunnel], init: async () => ({ mode: "server", tasks: ["a"] }) });
// @ts-expect-error -- no such mode
resource({ id: "tunnel", tags: [globals.tags.tunnel], init: async () => ({ mode: "sideways" }) });
resource({
  id: "tunnel",
  tags: [globals.tags.tunnel],
  init: async ({ url }: { url: string }) => ({ mode: "client", run: async (task) => url + task.id }),
}).with({ url: "http://localhost" });
