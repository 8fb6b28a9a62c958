import { expectTypeOf } from "expect-type";
import { createHttpClient, r, run, type definitions as types, type IEvent } from "../index";
import { createHttpMixedClient } from "../node/index";

const placed = r.event<{ order: number }>("app.placed").build();
const shipped = r
  .event("app.shipped")
  .payloadSchema<{ parcel: string }>({ parse: (value) => value })
  .build();
const billed = r
  .event("app.billed")
  .payloadSchema<{ invoice: number }>({ parse: (value) => value })
  .build();

// Clients and runs: by definition, whose payload it is.
const app = await run(r.resource("app").register([placed, shipped, billed]).build());
for (const source of [createHttpClient({ baseUrl: "x" }), createHttpMixedClient({ baseUrl: "x" }), app]) {
  for await (const heard of source.subscribe([placed])) {
    expectTypeOf(heard.payload).toEqualTypeOf<{ order: number }>();
    expectTypeOf(heard.id).toEqualTypeOf<string>();
  }
  // Of several events with literal ids `event` tells which one it is.
  for await (const heard of source.subscribe([shipped, billed])) {
    expectTypeOf(heard.event).toEqualTypeOf<"app.shipped" | "app.billed">();
    if (heard.event === "app.shipped") expectTypeOf(heard.payload).toEqualTypeOf<{ parcel: string }>();
    else expectTypeOf(heard.payload).toEqualTypeOf<{ invoice: number }>();
  }
  // By id nothing is known of the payload.
  for await (const heard of source.subscribe(["app.placed"])) {
    expectTypeOf(heard.event).toEqualTypeOf<"app.placed">();
    expectTypeOf(heard.payload).toEqualTypeOf<unknown>();
  }
  source.subscribe([placed], {
    after: { "app.placed": "0123456789abcdef-1" },
    onGap(gap) {
      expectTypeOf(gap).toEqualTypeOf<types.SubscriptionGap>();
      expectTypeOf(gap.missed).toEqualTypeOf<number | null>();
    },
    onOpen: (positions) => void expectTypeOf(positions).toEqualTypeOf<Readonly<Record<string, string>>>(),
    signal: AbortSignal.abort(),
  });
  const task = r
    .task("app.task")
    .run(async () => 1)
    .build();
  // @ts-expect-error -- a task is no event
  source.subscribe([task]);
  // @ts-expect-error -- a list is what it takes
  source.subscribe(placed);
  // @ts-expect-error -- places are texts
  source.subscribe([placed], { after: { "app.placed": 1 } });
}

// By the type of a server's module, ids are completed and payloads known.
interface Shop {
  readonly placed: IEvent<{ order: number }, "shop.placed">;
  readonly shipped: IEvent<{ parcel: string }, "shop.shipped">;
}
const typed = createHttpClient<Shop>({ baseUrl: "x", events: { placed: "shop.placed" } });
for await (const heard of typed.subscribe(["shop.placed", "shop.shipped"])) {
  if (heard.event === "shop.placed") expectTypeOf(heard.payload).toEqualTypeOf<{ order: number }>();
  else expectTypeOf(heard.payload).toEqualTypeOf<{ parcel: string }>();
}
// @ts-expect-error -- the module has no such event
typed.subscribe(["shop.misspelt"]);

// Tunnels: what may be listened to is a right of its own, and what is heard needs a client.
r.tunnel.server("server").subscribable([placed, "app.other"]).build();
r.tunnel
  .server("server")
  .subscribable((event) => event.id.startsWith("app."))
  .build();
r.tunnel.client("client").hears([placed, "app.other"]).http({ baseUrl: "x" }).build();
// @ts-expect-error -- a task is no event
r.tunnel.client("client").hears([r.task.phantom("app.task").build()]);
const tunnel = r.tunnel.client<Shop>("client").hears({ placed: "shop.placed" }).http({ baseUrl: "x" }).build();
expectTypeOf(tunnel.events.placed).toExtend<IEvent<{ order: number }>>();
r.hook("hook")
  .on(tunnel.events.placed)
  .run(async ({ data }) => void expectTypeOf(data).toEqualTypeOf<{ order: number }>());
// @ts-expect-error -- the module has no such event
r.tunnel.client<Shop>("client").hears({ placed: "shop.misspelt" });
