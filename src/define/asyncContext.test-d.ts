import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { asyncContext, createContext, r, type AsyncContextFluentBuilder, type IAsyncContext } from "../index";

const user = r.asyncContext<{ id: string }>("user").build();

// Row 52: values are typed, `provide` returns what the function returns, `require` attaches to tasks.
// @ts-expect-error -- the id is a string
void user.provide({ id: 1 }, async () => 1);
expectTypeOf(user.provide({ id: "a" }, async () => 1)).toExtend<number | Promise<number>>();
expectTypeOf(user.provide({ id: "a" }, () => 1)).toExtend<number | Promise<number>>();
expectTypeOf(user.use()).toEqualTypeOf<{ id: string }>();
r.task("x").middleware([user.require()]);
// @ts-expect-error -- it guards tasks
r.resource("x").middleware([user.require()]);

// Beyond the rows: a string starts the builder, an object makes the context.
expectTypeOf(asyncContext<{ id: string }>("user")).toEqualTypeOf<AsyncContextFluentBuilder<{ id: string }>>();
expectTypeOf(asyncContext<{ id: string }>({ id: "user" })).toEqualTypeOf<IAsyncContext<{ id: string }>>();
expectTypeOf(createContext<number>("n")).toEqualTypeOf<IAsyncContext<number>>();
r.asyncContext<{ id: string }>("user")
  .configSchema(z.object({ id: z.string() }))
  .serialize(({ id }) => id)
  .parse((id) => ({ id }));
expectTypeOf(
  r
    .asyncContext("user")
    .configSchema(z.object({ id: z.string() }))
    .build()
    .use(),
).toEqualTypeOf<{
  id: string;
}>();
