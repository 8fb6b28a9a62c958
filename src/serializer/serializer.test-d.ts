import { expectTypeOf } from "expect-type";
import type { SerializerLike, TypeDefinition } from "./codec";
import { Serializer } from "./Serializer";
import { SymbolPolicy } from "./symbolPolicy";

class Distance {
  constructor(
    readonly value: number,
    readonly unit: string,
  ) {}
}

const serializer = new Serializer({ maxDepth: 10, symbolPolicy: SymbolPolicy.Disabled, pretty: undefined });
new Serializer({ symbolPolicy: "well-known-only" });
// @ts-expect-error -- no such policy
new Serializer({ symbolPolicy: "bogus" });

// Both forms of `addType`; the first is the one of the guides.
serializer.addType("Distance", (j: { value: number; unit: string }) => new Distance(j.value, j.unit));
serializer.addType({
  id: "Distance",
  is: (value): value is Distance => value instanceof Distance,
  serialize(distance) {
    expectTypeOf(distance).toEqualTypeOf<Distance>();
    return { v: distance.value };
  },
  deserialize(payload) {
    expectTypeOf(payload).toEqualTypeOf<{ v: number }>();
    return new Distance(payload.v, "km");
  },
  create: () => new Distance(0, ""),
  strategy: "value",
});
// @ts-expect-error -- a name needs a factory
serializer.addType("Distance");
serializer.addType({
  id: "Distance",
  is: (value): value is Distance => value instanceof Distance,
  serialize: (distance) => distance.value,
  // @ts-expect-error -- must give back what `is` recognises
  deserialize: (payload) => String(payload),
});

const definitions: TypeDefinition[] = [];
definitions.forEach((definition) => serializer.addType(definition));

expectTypeOf(serializer.parse("1")).toEqualTypeOf<unknown>();
expectTypeOf(serializer.parse<Date>("1")).toEqualTypeOf<Date>();
expectTypeOf(serializer.stringify(1)).toEqualTypeOf<string>();

// What may be given where a serializer is asked for.
expectTypeOf(serializer).toExtend<SerializerLike>();
expectTypeOf(JSON).toExtend<SerializerLike>();
// `any`: what `JSON.parse` and many wrappers of it return.
expectTypeOf<{ stringify(value: unknown): string; parse(text: string): any }>().toExtend<SerializerLike>();
expectTypeOf<{ stringify(value: unknown): string }>().not.toExtend<SerializerLike>();
