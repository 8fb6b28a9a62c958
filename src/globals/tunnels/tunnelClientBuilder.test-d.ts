import { expectTypeOf } from "expect-type";
import { r, type IResource, type TunnelClient, type TunnelRunner } from "../../index";

const add = r
  .task("add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();
const happened = r.event<{ n: number }>("happened").build();
const clock = r
  .resource("clock")
  .init(async () => ({ now: () => 7 }))
  .build();
declare const client: TunnelClient;

// A server tunnel needs no config, and something to open.
const server = r.tunnel.server("server").tasks([add, "by.id"]).events([happened]).transport("http").build();
expectTypeOf(server).toEqualTypeOf<IResource<void, Promise<TunnelRunner>>>();
r.resource("app").register([server]);
// @ts-expect-error -- nothing is opened
r.tunnel.server("server").build();
expectTypeOf(
  r.tunnel.server("server").build,
).thisParameter.toEqualTypeOf<"say what is opened first: .tasks([...]), .events([...]) or .subscribable([...])">();

// The config of a client tunnel is the annotation of the function that reads it.
const routed = r.tunnel
  .client("client")
  .tasks([add])
  .http((config: { url: string; token: string }) => ({ baseUrl: config.url, auth: { token: config.token } }))
  .build();
expectTypeOf(routed).toEqualTypeOf<IResource<{ url: string; token: string }, Promise<TunnelRunner>>>();
r.resource("app").register([routed.with({ url: "http://x", token: "s" })]);
// @ts-expect-error -- it needs a config
r.resource("app").register([routed]);
// @ts-expect-error -- the config lacks the token
routed.with({ url: "http://x" });

// Without a function it needs none.
r.resource("app").register([r.tunnel.client("client").tasks([add]).http({ baseUrl: "http://x" }).build()]);
// @ts-expect-error -- an address is what a client cannot do without
r.tunnel.client("client").tasks([add]).http({});

// What connects receives dependencies and config.
const connected = r.tunnel
  .client("client")
  .events([happened], { eventDeliveryMode: "remote-first" })
  .dependencies({ clock, add })
  .connect(async (config: { retries: number }, deps) => {
    expectTypeOf(config.retries).toBeNumber();
    expectTypeOf(deps.clock.now()).toBeNumber();
    expectTypeOf(deps.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>();
    return client;
  })
  .build();
expectTypeOf(connected).toEqualTypeOf<IResource<{ retries: number }, Promise<TunnelRunner>>>();
// @ts-expect-error -- no such mode
r.tunnel.client("client").events([happened], { eventDeliveryMode: "sometimes" });

// What is missing is said in words.
expectTypeOf(
  r.tunnel.client("client").build,
).thisParameter.toEqualTypeOf<"say what is routed and where to: .tasks([...]).http(...), .connect(...) or .memory(...)">();
expectTypeOf(
  r.tunnel.client("client").tasks([add]).build,
).thisParameter.toEqualTypeOf<"say where to first: .http(...), .connect(...) or .memory(...)">();
expectTypeOf(
  r.tunnel.client("client").connect(() => client).build,
).thisParameter.toEqualTypeOf<"say what is routed first: .tasks([...]) or .events([...])">();

// Verifying changes no type; a file of JSON is a lock, whose numbers are just numbers.
declare const lock: { lock: number; hash: string; tasks: { add: { hash: string; throws: string[] } }; events: {} };
expectTypeOf(
  r.tunnel.client("client").tasks([add]).http({ baseUrl: "http://x" }).verify("throw", lock, { timeoutMs: 1 }).build(),
).toEqualTypeOf<IResource<void, Promise<TunnelRunner>>>();
// @ts-expect-error -- no such mode
r.tunnel.client("client").verify("error");
// @ts-expect-error -- no lock
r.tunnel.client("client").verify("warn", { tasks: {} });
// @ts-expect-error -- it is not complete by that
r.tunnel.client("client").verify("warn").build();
