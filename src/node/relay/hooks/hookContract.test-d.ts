import { expectTypeOf } from "expect-type";
import {
  globals,
  r,
  tunnelRelay,
  type ExtractTaskInput,
  type TunnelGateInput,
  type TunnelHeaders,
  type TunnelRequestContext,
  type TunnelRequestPayload,
  type TunnelResponseContext,
} from "../../index";

const { tunnelGate, tunnelHook } = globals.tags;
const audit = r
  .task("audit")
  .run(async (line: string) => line.length)
  .build();

// A gate task is typed by its tag.
const gate = r
  .task("gate")
  .tags([tunnelGate])
  .dependencies({ audit })
  .run(async (visitor, { audit }) => {
    expectTypeOf(visitor).toEqualTypeOf<TunnelGateInput>();
    await audit(visitor.peer);
    return visitor.headers["x-pass"] === "yes" ? { ok: true } : { ok: false, status: 401 };
  })
  .build();
expectTypeOf<ExtractTaskInput<typeof gate>>().toEqualTypeOf<TunnelGateInput>();
r.task("gate")
  .tags([tunnelGate])
  // @ts-expect-error -- a gate says ok
  .run(async () => true);
r.task("gate")
  .tags([tunnelGate])
  // @ts-expect-error -- a gate answers 401 or 403
  .run(async () => ({ ok: false, status: 500 }));

// A hook task sees requests, or responses, as the config of its tag says.
r.task("hook")
  .tags([tunnelHook])
  .run(async (ctx) => {
    expectTypeOf(ctx).toExtend<TunnelRequestContext>();
    ctx.head.target = "/elsewhere";
    expectTypeOf(ctx.head.headers).toEqualTypeOf<TunnelHeaders>();
    return ctx.next();
  });
const onRequest = r
  .task("hook")
  .tags([tunnelHook.with({ name: "shop", path: "/api/*", method: ["POST", "PUT"], order: -1 })])
  .dependencies({ audit })
  .run(async (ctx, { audit }) => {
    const start = await ctx.peekBody(16);
    expectTypeOf(start).toEqualTypeOf<Buffer>();
    if ((await audit(start.toString())) > 10) return ctx.respond(413, { "content-type": "text/plain" }, "no");
    if (ctx.state.has("seen")) return ctx.redirect("/seen", 303);
    return ctx.block();
  })
  .build();
expectTypeOf<ExtractTaskInput<typeof onRequest>>().toExtend<TunnelRequestContext>();
// A hook that returns nothing lets the request go on.
r.task("hook")
  .tags([tunnelHook])
  .run(async (ctx) => ctx.head.headers.delete("authorization"));
const onResponse = r
  .task("hook")
  .tags([tunnelHook.with({ on: "response" })])
  .run(async (ctx) => {
    expectTypeOf(ctx.head.status).toBeNumber();
    ctx.transformBody(async function* (body) {
      for await (const chunk of body as AsyncIterable<Buffer>) yield chunk.toString().toUpperCase();
    });
  })
  .build();
expectTypeOf<ExtractTaskInput<typeof onResponse>>().toExtend<TunnelResponseContext>();
r.task("hook")
  .tags([tunnelHook])
  // @ts-expect-error -- a hook does not decide by a text
  .run(async () => "block");
// @ts-expect-error -- hooks see requests or responses
tunnelHook.with({ on: "both" });

// The request log is an event.
r.hook("log")
  .on(globals.events.tunnelRequest)
  .run(async ({ data }) => expectTypeOf(data).toEqualTypeOf<TunnelRequestPayload>());

// Groups of gates, and built-in hooks, are given to the relay.
const { password, token, jwt, ip } = globals.tunnelGates;
tunnelRelay.with({
  listen: { port: 0 },
  gates: [[ip.with({ allow: ["10.0.0.0/8"] }), gate], [token.with({ tokens: "t", query: "key" })], ["other.gate"]],
  gatesByName: { shop: [[password.with({ password: "p" })], [jwt.with({ key: "k", algorithms: ["HS256"] })]] },
  hooks: [globals.tunnelHooks.stripHeaders.with({ request: ["x"] }), globals.tunnelHooks.rateLimit.with({ limit: 1 })],
});
// @ts-expect-error -- gates come in groups
tunnelRelay.with({ listen: { port: 0 }, gates: [password.with({ password: "p" })] });
// @ts-expect-error -- the task is no gate
tunnelRelay.with({ listen: { port: 0 }, gates: [[audit]] });
// @ts-expect-error -- algorithms are named
jwt.with({ key: "k" });
