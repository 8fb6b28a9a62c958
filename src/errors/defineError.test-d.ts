import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { defineError, Errors, r, type IErrorHelper, type RunnerError } from "../index";

const failed = r.error<{ code: number }>("failed").build();

// Row 50, improved: data is typed, and `is` narrows.
// @ts-expect-error -- what is locked is missing
const lock = () => Errors.lockedError.throw({});
expectTypeOf(lock).returns.toEqualTypeOf<never>();
declare const thrown: unknown;
if (failed.is(thrown)) {
  expectTypeOf(thrown).toEqualTypeOf<RunnerError<{ code: number }>>();
  expectTypeOf(thrown.data).toEqualTypeOf<{ code: number }>();
  expectTypeOf(thrown.id).toEqualTypeOf<string>();
}
if (Errors.validationError.is(thrown)) expectTypeOf(thrown.data.subject).toBeString();

// Beyond the rows: every form of making one.
expectTypeOf(failed).toEqualTypeOf<IErrorHelper<{ code: number }>>();
expectTypeOf(failed.create({ code: 1 })).toEqualTypeOf<RunnerError<{ code: number }>>();
// @ts-expect-error -- the code is a number
failed.create({ code: "x" });
expectTypeOf(defineError<{ code: number }>({ id: "failed" })).toEqualTypeOf<IErrorHelper<{ code: number }>>();
expectTypeOf(defineError<{ code: number }>("failed").build()).toEqualTypeOf<IErrorHelper<{ code: number }>>();
r.error<{ code: number }>("failed")
  .format(({ code }) => code.toFixed())
  .dataSchema(z.object({ code: z.number() }))
  .httpCode(409);
// @ts-expect-error -- the schema is for other data
r.error<{ code: number }>("failed").dataSchema(z.object({ code: z.string() }));

// Data may be an interface.
interface OrderData {
  orderId: string;
}
expectTypeOf(r.error<OrderData>("order").build().create({ orderId: "a" }).data).toEqualTypeOf<OrderData>();
expectTypeOf(defineError<OrderData>({ id: "order" })).toEqualTypeOf<IErrorHelper<OrderData>>();

// Where data is left open, anything with keys is data.
r.error("open").build().create({ anything: true });
expectTypeOf(r.error("open").build()).toEqualTypeOf<IErrorHelper<Record<string, unknown>>>();
