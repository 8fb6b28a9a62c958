import { expectTypeOf } from "expect-type";
import {
  hook,
  override,
  r,
  resource,
  task,
  type IEvent,
  type IResource,
  type ITask,
  type IValidationSchema,
} from "../index";

// Definitions made by a function of the application that is generic itself.

interface Repository<E> {
  find(id: string): Promise<E | null>;
  all(): Promise<E[]>;
}

function repositoryOf<E extends { id: string }>(name: string, implementation: Repository<E>) {
  const repository = r
    .resource(`${name}.repository`)
    .init(async () => implementation)
    .build();
  const find = r
    .task(`${name}.find`)
    .dependencies({ repository })
    .run(async (id: string, { repository }) => repository.find(id))
    .build();
  const both = r
    .task(`${name}.both`)
    .dependencies({ find, repository })
    .run(async (id: string, dependencies) => ({
      one: await dependencies.find(id),
      all: await dependencies.repository.all(),
    }))
    .build();
  return { repository, find, both };
}

declare const usersImplementation: Repository<{ id: string; age: number }>;
const users = repositoryOf("users", usersImplementation);
r.task("x")
  .dependencies({ find: users.find, both: users.both })
  .run(async (_: void, { find, both }) => {
    expectTypeOf(await find("a")).toEqualTypeOf<{ id: string; age: number } | null>();
    expectTypeOf((await both("a")).all).toEqualTypeOf<{ id: string; age: number }[]>();
    // @ts-expect-error -- the id is a string
    await find(1);
  });

// What `run` and `init` resolve to may stay generic, also as part of something else.
export const nullable = <T>() =>
  r
    .task("x")
    .run(async (_id: string): Promise<T | null> => null)
    .build();
expectTypeOf(nullable<number>()).toEqualTypeOf<ITask<string, Promise<number | null>>>();
export const spread = <T extends object>(make: () => T) =>
  r
    .resource("x")
    .init(async () => ({ ...make(), extra: 1 }))
    .build();
export const given = <I, O>(id: string, run: (input: I) => Promise<O>): ITask<I, Promise<O>> =>
  r.task(id).run(run).build();
export const value = <V>(id: string, make: () => Promise<V>): IResource<void, Promise<V>> =>
  r
    .resource(id)
    .init(async () => make())
    .build();
export const classic = <T>(run: (input: string) => Promise<T>) =>
  task({ id: "x", run: async (input: string): Promise<T | undefined> => run(input) });
expectTypeOf(classic(async () => 1)).toEqualTypeOf<ITask<string, Promise<number | undefined>>>();
export const classicValue = <T>(made: T) => resource({ id: "x", init: async () => ({ made }) });

// Schemas of a generic type.
export function checked<T>(schema: IValidationSchema<T>, load: (input: T) => Promise<T[]>) {
  return r
    .task("x")
    .inputSchema(schema)
    .run(async (input) => load(input))
    .build();
}
declare const schema: IValidationSchema<{ n: number }>;
expectTypeOf(checked(schema, async (input) => [input])).toEqualTypeOf<ITask<{ n: number }, Promise<{ n: number }[]>>>();
export const checkedResult = <T>(schema: IValidationSchema<T>, load: () => Promise<T>) =>
  r.task("x").resultSchema(schema).run(load).build();
export const checkedClassic = <T>(schema: IValidationSchema<T>) =>
  task({ id: "x", inputSchema: schema, run: async (input) => [input] });
export const checkedConfig = <C>(schema: IValidationSchema<C>, open: (config: C) => Promise<string>) =>
  r.resource("x").configSchema(schema).init(open).build();

// Configs, contexts, payloads and middleware.
export const configured = <C extends { port: number }>() =>
  r
    .resource<C>("x")
    .init(async ({ port }) => port)
    .build();
export const cached = <T>() =>
  r
    .resource("x")
    .context(() => new Map<string, T>())
    .init(async (_config, _dependencies, cache) => cache)
    .build();
expectTypeOf(cached<number>()).toExtend<IResource<void, Promise<Map<string, number>>>>();
export const listener = <P>(event: IEvent<P>, listen: (payload: P) => Promise<void>) =>
  r
    .hook("x")
    .on(event)
    .run(async ({ data }) => listen(data))
    .build();
export const classicListener = <P>(event: IEvent<P>, listen: (payload: P) => Promise<void>) =>
  hook({ id: "x", on: event, run: async ({ data }) => listen(data) });
export const limited = <C extends { limit: number }>() =>
  r.middleware
    .task<C>("x")
    .run(async ({ next }, _dependencies, { limit }) => (limit > 0 ? next() : undefined))
    .build();

// Dependencies and overrides of a generic type.
export const caller = <I, O>(target: ITask<I, Promise<O>>) =>
  r
    .task("x")
    .dependencies({ target })
    .run(async (input: I, { target }) => (target as (input: I) => Promise<O>)(input))
    .build();
export const constant = <T>(base: ITask<string, Promise<T>>, made: T) => [
  r
    .override(base)
    .run(async () => made)
    .build(),
  override(base, { run: async () => made }),
];
