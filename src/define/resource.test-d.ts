import { expectTypeOf } from "expect-type";
import { z } from "zod";
import {
  r,
  resource,
  run,
  type ExtractResourceConfig,
  type ExtractResourceValue,
  type IResource,
  type IResourceWithConfig,
} from "../index";

// Row 20: a config with required keys has to be given.
const server = r
  .resource<{ port: number }>("server")
  .init(async (config) => config.port)
  .build();
expectTypeOf(server.with({ port: 1 })).toEqualTypeOf<IResourceWithConfig<{ port: number }, Promise<number>>>();
// @ts-expect-error -- the port is missing
server.with({});
// @ts-expect-error -- the config is missing
server.with();
// @ts-expect-error -- it needs its config
r.resource("app").register([server]);
// @ts-expect-error -- it needs its config
r.resource("app").register(server);
// @ts-expect-error -- it needs its config
void run(server);
void run(server.with({ port: 1 })).then(({ value }) => expectTypeOf(value).toEqualTypeOf<number>());
r.resource("app").register([server.with({ port: 1 })]);

// Row 21: the annotation of `init` is the config.
const annotated = r
  .resource("a")
  .init(async (config: { z: string }) => config.z.length)
  .build();
expectTypeOf<ExtractResourceConfig<typeof annotated>>().toEqualTypeOf<{ z: string }>();
annotated.with({ z: "a" });

// Row 22: the schema is the config.
const parsed = r
  .resource("a")
  .configSchema(z.object({ q: z.number() }))
  .init(async (config) => config.q)
  .build();
expectTypeOf<ExtractResourceConfig<typeof parsed>>().toEqualTypeOf<{ q: number }>();
expectTypeOf<ExtractResourceValue<typeof parsed>>().toEqualTypeOf<number>();

// Row 23: what was stated before wins.
// @ts-expect-error -- the generic says { a: string }
r.resource<{ a: string }>("a").init(async (config: { b: number }) => config.b);

// Row 24: a config of optional keys need not be given.
const optional = r
  .resource<{ a?: string }>("optional")
  .init(async () => 1)
  .build();
r.resource("app").register([optional, optional.with({})]);
void run(optional);
void run(optional.with({}));

// Row 25: a void config cannot be given.
const plain = r
  .resource("plain")
  .init(async () => 1)
  .build();
plain.with();
// @ts-expect-error -- it has no config
plain.with({ a: 1 });
// @ts-expect-error -- it has no config
plain.with("x");

// Row 26: the context, and the value as dispose sees it.
r.resource("a")
  .context(() => ({ l: [] as string[] }))
  .init(async (_config, _dependencies, context) => {
    expectTypeOf(context.l).toEqualTypeOf<string[]>();
    return { v: 1 };
  })
  .dispose(async (value, _config, _dependencies, context) => {
    expectTypeOf(value).toEqualTypeOf<{ v: number }>();
    expectTypeOf(context.l).toEqualTypeOf<string[]>();
  });
r.resource("a")
  .init(async () => ({ v: 1 }))
  // @ts-expect-error -- not in the value
  .dispose(async (value) => void value.nope);
r.resource("a").dispose(async (value) => void expectTypeOf(value).toBeAny());

// Row 27: what register and overrides take.
r.resource<{ on: boolean }>("a").register((config) => {
  expectTypeOf(config).toEqualTypeOf<{ on: boolean }>();
  return config.on ? [plain] : [];
});
r.resource("a")
  .register(plain)
  .register([plain])
  .register(() => plain)
  .overrides([null, undefined, plain]);

// Row 28: a fork keeps everything.
const fork = server.fork("fork", { register: "deep", reId: (id) => `${id}.copy` });
expectTypeOf(fork).toEqualTypeOf<typeof server>();
fork.with({ port: 1 });
// @ts-expect-error -- no such mode
server.fork("fork", { register: "bogus" });

// Beyond the rows.

// Middleware and tags with required configs are registered bare and configured where they are attached.
const limit = r.middleware
  .task<{ max: number }>("limit")
  .run(async ({ next }) => next())
  .build();
const path = r.tag<{ path: string }>("path").build();
r.resource("a").register([limit, path]);

// A result schema is the value.
const checked = r
  .resource("a")
  .resultSchema(z.object({ ok: z.boolean() }))
  .init(async () => ({ ok: true }))
  .build();
expectTypeOf<ExtractResourceValue<typeof checked>>().toEqualTypeOf<{ ok: boolean }>();
r.resource("a")
  .resultSchema(z.object({ ok: z.boolean() }))
  // @ts-expect-error -- the schema says { ok: boolean }
  .init(async () => ({ ok: "yes" }));

// Classic resources infer as builders do.
const classic = resource({
  id: "a",
  dependencies: { plain },
  context: () => ({ opened: 0 }),
  init: async (config: { size: number }, { plain }, context) => {
    context.opened += plain;
    return { size: config.size };
  },
  dispose: async (value, config, { plain }, context) => {
    expectTypeOf(value).toEqualTypeOf<{ size: number }>();
    expectTypeOf(config).toEqualTypeOf<{ size: number }>();
    expectTypeOf(plain).toEqualTypeOf<number>();
    expectTypeOf(context.opened).toEqualTypeOf<number>();
  },
});
expectTypeOf<ExtractResourceConfig<typeof classic>>().toEqualTypeOf<{ size: number }>();
const classicParsed = resource({
  id: "a",
  configSchema: z.object({ q: z.number() }),
  init: async (config) => config.q,
});
expectTypeOf<ExtractResourceValue<typeof classicParsed>>().toEqualTypeOf<number>();

// `IResource<any, any>` holds resources of all kinds.
const all: IResource<any, any>[] = [server, optional, plain, fork, classic];
expectTypeOf(all).items.toHaveProperty("id");

// Values have the types that TypeScript gives them anywhere else: a literal is kept where it is asked for.
const flags = r
  .resource("a")
  .context(() => ({ isFresh: () => true }))
  .init(async (_config, _dependencies, context) => {
    expectTypeOf(context).toEqualTypeOf<{ isFresh: () => boolean }>();
    return { isOn: () => false, list: [() => 1], kind: "x" as const };
  })
  .build();
expectTypeOf<ExtractResourceValue<typeof flags>>().toEqualTypeOf<{
  isOn: () => boolean;
  list: (() => number)[];
  kind: "x";
}>();
const classicFlags = resource({
  id: "a",
  context: () => ({ isFresh: () => true }),
  init: async (_config, _dependencies, context) => {
    expectTypeOf(context).toEqualTypeOf<{ isFresh: () => boolean }>();
    return { isOn: () => false };
  },
  dispose: async (value) => void expectTypeOf(value).toEqualTypeOf<{ isOn: () => boolean }>(),
});
expectTypeOf<ExtractResourceValue<typeof classicFlags>>().toEqualTypeOf<{ isOn: () => boolean }>();
const constant = r
  .resource("a")
  .init(async () => 5 as const)
  .build();
expectTypeOf<ExtractResourceValue<typeof constant>>().toEqualTypeOf<5>();
