import { expectTypeOf } from "expect-type";
import { hook, isOneOf, onAnyOf, r } from "../index";

const created = r.event<{ id: string; at: Date }>("created").build();
const renamed = r.event<{ id: string; to: string }>("renamed").build();
const removed = r.event<{ id: string; by: number }>("removed").build();
const unrelated = r.event<{ zz: 1 }>("unrelated").build();

// Row 34: the payload is the event's; of "*", anything.
r.hook("h")
  .on(created)
  .run(async (event) => expectTypeOf(event.data).toEqualTypeOf<{ id: string; at: Date }>());
r.hook("h")
  .on(created)
  // @ts-expect-error -- not in the payload
  .run(async (event) => event.data.nope);
r.hook("h")
  .on("*")
  .run(async (event) => expectTypeOf(event.data).toBeAny());
// Before `.on` nothing says what the payload is.
// @ts-expect-error -- call .on(event) before .run(...)
r.hook("h").run(async () => {});

// Row 35: of several events, what all have.
r.hook("h")
  .on([created, renamed, removed])
  .run(async (event) => expectTypeOf(event.data).toEqualTypeOf<{ id: string }>());
r.hook("h")
  .on([created, removed] as const)
  .run(async (event) => expectTypeOf(event.data).toEqualTypeOf<{ id: string }>());
r.hook("h")
  .on(onAnyOf(created, removed))
  .run(async (event) => expectTypeOf(event.data).toEqualTypeOf<{ id: string }>());
r.hook("h")
  .on([created, renamed])
  // @ts-expect-error -- only one of them has it
  .run(async (event) => event.data.at);
r.hook("h")
  .on([created, unrelated])
  .run(async (event) => expectTypeOf<keyof typeof event.data>().toEqualTypeOf<never>());

// Row 36: told apart inside.
r.hook("h")
  .on([created, renamed, removed])
  .run(async (event) => {
    if (isOneOf(event, [removed])) expectTypeOf(event.data.by).toEqualTypeOf<number>();
    if (isOneOf(event, [renamed, created])) expectTypeOf(event.data.id).toEqualTypeOf<string>();
  });

// Row 37: an override listens to what its base listens to.
const base = r
  .hook("h")
  .on(created)
  .run(async () => {})
  .build();
// @ts-expect-error -- fixed by the base
r.override(base).on(removed);
r.override(base)
  .order(1)
  .run(async (event) => expectTypeOf(event.data.at).toEqualTypeOf<Date>())
  .build();

// Beyond the rows: classic hooks infer the same.
hook({ id: "h", on: created, run: async (event) => expectTypeOf(event.data.at).toEqualTypeOf<Date>() });
hook({
  id: "h",
  on: [created, removed],
  run: async (event) => expectTypeOf(event.data).toEqualTypeOf<{ id: string }>(),
});
hook({ id: "h", on: "*", run: async (event) => expectTypeOf(event.data).toBeAny() });
