import { expectTypeOf } from "expect-type";
import { z } from "zod";
import {
  globals,
  override,
  r,
  resource,
  task,
  type AuthValidatorInput,
  type ExtractResourceConfig,
  type ExtractTaskInput,
  type InputContractViolationError,
  type TunnelRunner,
} from "../index";

const contract = r.tag<void, { id: string }, { name: string }>("contract").build();
const configured = r.tag<{ cfg: number }, { id: string }, { name: string }>("configured").build();
const middleware = r.middleware
  .task<void, { b: number }, { name: string }>("middleware")
  .run(async ({ next }) => next())
  .build();
const conflicting = r.tag<void, { id: number }>("conflicting").build();

// Row 42: input and output follow the contract.
const contracted = r
  .task("x")
  .tags([contract])
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<{ id: string }>();
    return { name: input.id, extra: 1 };
  })
  .build();
r.task("x")
  .tags([contract])
  // @ts-expect-error -- the contract asks for a name
  .run(async () => ({ nope: 1 }));
r.task("x")
  .tags([configured.with({ cfg: 1 })])
  .run(async (input) => ({ name: input.id }));
const contractedResource = r
  .resource("x")
  .tags([contract])
  .init(async (config) => {
    expectTypeOf(config).toEqualTypeOf<{ id: string }>();
    return { name: config.id };
  })
  .build();
contractedResource.with({ id: "a" });
expectTypeOf<ExtractResourceConfig<typeof contractedResource>>().toEqualTypeOf<{ id: string }>();
r.resource("x")
  .tags([contract])
  // @ts-expect-error -- the contract asks for a name
  .init(async () => ({ nope: 1 }));

// Row 43: inputs of several carriers add up.
r.task("x")
  .tags([contract])
  .middleware([middleware])
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<{ id: string; b: number }>();
    return { name: "x" };
  });

// Row 44: a conflict is what the parameter becomes.
r.task("x")
  .tags([contract, conflicting])
  .run(async (input) => {
    expectTypeOf(input.message).toEqualTypeOf<"Value does not satisfy all input contracts">();
    return { name: "" };
  });

// Row 45: a schema that breaks the contract shows where the input is used.
r.task("x")
  .tags([contract])
  .inputSchema(z.object({ q: z.number() }))
  .run(async (input) => {
    expectTypeOf(input).toExtend<InputContractViolationError<{ id: string }>>();
    // @ts-expect-error -- the input breaks the contract
    return { name: input.q };
  });
r.task("x")
  .tags([contract])
  .inputSchema(z.object({ id: z.string(), q: z.number() }))
  .run(async (input) => ({ name: input.id + input.q }));

// Row 47, improved: callers see the contract's input.
expectTypeOf<ExtractTaskInput<typeof contracted>>().toEqualTypeOf<{ id: string }>();
r.task("y")
  .dependencies({ contracted })
  .run(async (_: void, { contracted }) => {
    // @ts-expect-error -- the contract asks for an id
    await contracted();
    return contracted({ id: "a" });
  });

// Beyond the rows: an annotation may ask for more than the contract, not for something else.
r.task("x")
  .tags([contract])
  .run(async (input: { id: string; more: 1 }) => ({ name: input.id }));
r.task("x")
  .tags([contract])
  // @ts-expect-error -- the contract gives { id: string }
  .run(async (input: { q: string }) => ({ name: input.q }));

// Tags replaced take their contracts with them.
r.task("x")
  .tags([contract])
  .tags([], { override: true })
  .run(async (input: number) => input);

// Classic definitions follow contracts as well.
const classic = task({ id: "x", tags: [contract], run: async (input: { id: string }) => ({ name: input.id }) });
expectTypeOf<ExtractTaskInput<typeof classic>>().toEqualTypeOf<{ id: string }>();
// @ts-expect-error -- the contract asks for a name
task({ id: "x", tags: [contract], run: async () => ({ nope: 1 }) });

// The contracts of the framework: a validator's input and result, and what a tunnel returns.
const validator = r
  .task("validator")
  .tags([globals.tags.authValidator])
  .run(async (input) => {
    expectTypeOf(input).toEqualTypeOf<AuthValidatorInput>();
    if (input.headers["x-token"] === "t") return { ok: true };
    return { ok: false, message: "no" };
  })
  .build();
expectTypeOf<ExtractTaskInput<typeof validator>>().toEqualTypeOf<AuthValidatorInput>();
r.task("x")
  .tags([globals.tags.authValidator])
  // @ts-expect-error -- the result says ok
  .run(async () => true);
r.resource("tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({
    mode: "client",
    tasks: (task) => task.id === "a",
    run: async (task, input) => [task.id, input],
  }));
r.resource("tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server", transport: "http", tasks: ["a"], events: ["b"] }));
r.resource("tunnel")
  .tags([globals.tags.tunnel])
  // @ts-expect-error -- no such mode
  .init(async () => ({ mode: "sideways" }));
// A client tunnel has means for what it selects, as far as its type says what it selects.
interface NamedTunnel extends TunnelRunner {
  readonly name?: string;
}
declare const anyTunnel: TunnelRunner;
declare const namedTunnel: NamedTunnel;
const tunnel = () => r.resource("tunnel").tags([globals.tags.tunnel]);
tunnel().init(async () => anyTunnel);
tunnel().init(async () => namedTunnel);
tunnel().init(async () => ({ mode: "client" }));
tunnel().init(async () => ({ mode: "client", tasks: [] }));
tunnel().init(async () => ({ mode: "client", tasks: ["a"], ...anyTunnel }));
tunnel().init(async () => ({ mode: "both", events: ["a"], emit: async (emission) => emission.id }));
// @ts-expect-error -- nothing runs the tasks
tunnel().init(async () => ({ mode: "both", tasks: (task) => task.id === "a" }));
// @ts-expect-error -- `emit` does not run tasks
tunnel().init(async () => ({ mode: "client", tasks: ["a"], emit: async (emission) => emission.id }));
// @ts-expect-error -- `run` does not emit
tunnel().init(async () => ({ mode: "client", events: ["a"], run: async (task) => task.id }));
r.resource("tunnel")
  .tags([globals.tags.excludeFromGlobalHooks.with({}), globals.tags.tunnel])
  // @ts-expect-error -- nothing runs the tasks, whatever other tags there are
  .init(async () => ({ mode: "client", tasks: ["a"] }));
// An override is held to the same.
const routed = tunnel()
  .init(async () => ({ mode: "client", tasks: ["a"], run: async (task) => task.id }))
  .build();
override(routed, { init: async () => ({ mode: "server", tasks: ["a"] }) });
override(routed, { init: async () => anyTunnel });
override(routed, { init: async () => ({ mode: "client", tasks: ["a"], run: async (task) => task.id }) });
override(routed, { meta: { title: "routed" } });
// @ts-expect-error -- nothing runs the tasks
override(routed, { init: async () => ({ mode: "client", tasks: ["a"] }) });
// @ts-expect-error -- no such mode
override(routed, { init: async () => ({ mode: "sideways" }) });
const rerouted = r
  .override(routed)
  .init(async () => ({ mode: "both", events: ["a"], emit: async (emission) => emission.id }))
  .build();
// @ts-expect-error -- `run` does not emit
r.override(routed).init(async () => ({ mode: "client", events: ["a"], run: async (task) => task.id }));
// @ts-expect-error -- nor does it in an override of an override
override(rerouted, { init: async () => ({ mode: "client", events: ["a"], run: async (task) => task.id }) });
resource({ id: "tunnel", tags: [globals.tags.tunnel], init: async () => anyTunnel });
// @ts-expect-error -- nothing runs the tasks
resource({ id: "tunnel", tags: [globals.tags.tunnel], init: async () => ({ mode: "client", tasks: ["a"] }) });
resource({
  id: "tunnel",
  tags: [globals.tags.tunnel],
  init: async () => ({ mode: "client", tasks: (task) => task.id.startsWith("a"), run: async () => 1 }),
});
