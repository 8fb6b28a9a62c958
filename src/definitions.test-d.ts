import { expectTypeOf } from "expect-type";
import { r } from "./index";
import type * as root from "./index";
import type { definitions } from "./index";

// Row 55: the mapped helpers are there under both names, and agree.
const value = r
  .resource("value")
  .init(async () => ({ n: 1 }))
  .build();
const task = r
  .task("task")
  .run(async (input: { a: number }) => input.a)
  .build();
const event = r.event<{ x: number }>("event").build();
interface Dependencies {
  value: typeof value;
  event: typeof event;
}

expectTypeOf<root.DependencyValueType<typeof value>>().toEqualTypeOf<{ n: number }>();
expectTypeOf<definitions.DependencyValueType<typeof event>>().toEqualTypeOf<(input: { x: number }) => Promise<void>>();
expectTypeOf<root.DependencyValuesType<Dependencies>>().toEqualTypeOf<{
  value: { n: number };
  event: (input: { x: number }) => Promise<void>;
}>();
expectTypeOf<definitions.ResourceDependencyValuesType<Dependencies>>().toEqualTypeOf<
  root.DependencyValuesType<Dependencies>
>();
expectTypeOf<root.ResourceDependencyValueType<typeof task>>().toHaveProperty("intercept");
expectTypeOf<root.DependencyValueType<typeof task>>().not.toHaveProperty("intercept");
expectTypeOf<root.ExtractTaskInput<typeof task>>().toEqualTypeOf<{ a: number }>();
expectTypeOf<definitions.ExtractTaskOutput<typeof task>>().toEqualTypeOf<Promise<number>>();
expectTypeOf<root.ExtractResourceValue<typeof value>>().toEqualTypeOf<{ n: number }>();
expectTypeOf<definitions.ExtractEventPayload<typeof event>>().toEqualTypeOf<{ x: number }>();
expectTypeOf<root.RequiredKeys<{ a: 1; b?: 2 }>>().toEqualTypeOf<"a">();
expectTypeOf<root.UnionToIntersection<{ a: 1 } | { b: 2 }>>().toEqualTypeOf<{ a: 1 } & { b: 2 }>();
expectTypeOf<definitions.RunnerMode>().toEqualTypeOf<"test" | "dev" | "prod">();
