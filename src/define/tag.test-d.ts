import { expectTypeOf } from "expect-type";
import { z } from "zod";
import { r, tag, type ITag } from "../index";

const required = r.tag<{ p: string }>("required").build();
const optional = r.tag<{ p?: string }>("optional").build();
const plain = r.tag("plain").build();

// Row 38: a tag with required keys needs its config.
// @ts-expect-error -- it needs its config
r.task("x").tags([required]);
// @ts-expect-error -- it needs its config
r.resource("x").tags([required]);
// @ts-expect-error -- it needs its config
r.event("x").tags([required]);
r.task("x").tags([required.with({ p: "a" }), optional, optional.with({}), plain, plain.with()]);
// @ts-expect-error -- p is a string
required.with({ p: 1 });
// @ts-expect-error -- it has no config
plain.with({ a: 1 });

// Row 39: what a tag extracts, and defaults.
expectTypeOf(required.extract([required.with({ p: "a" })])).toEqualTypeOf<{ p: string } | undefined>();
expectTypeOf(required.with({ p: "a" }).extract([])).toEqualTypeOf<{ p: string } | undefined>();
expectTypeOf(required.with({ p: "a" }).config).toEqualTypeOf<{ p: string }>();
r.tag("c").config({ a: 1 }).build().with({ a: 2 });
const parsed = r
  .tag("c")
  .configSchema(z.object({ a: z.number() }))
  .build();
expectTypeOf(parsed.extract([])).toEqualTypeOf<{ a: number } | undefined>();
expectTypeOf(tag<{ a: number }>({ id: "c" })).toEqualTypeOf<ITag<{ a: number }>>();

// Definitions of every kind can be asked.
const task = r
  .task("task")
  .tags([required.with({ p: "a" })])
  .run(async () => 1)
  .build();
expectTypeOf(required.exists(task)).toEqualTypeOf<boolean>();
expectTypeOf(required.extract(task)).toEqualTypeOf<{ p: string } | undefined>();
expectTypeOf(required.extract(task.tags)).toEqualTypeOf<{ p: string } | undefined>();
