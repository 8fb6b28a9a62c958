import { expectTypeOf } from "expect-type";
import { z } from "zod";
import {
  event,
  isOneOf,
  onAnyOf,
  r,
  type CommonPayload,
  type ExtractEventPayload,
  type IEvent,
  type IEventEmission,
} from "../index";

// Row 33: the schema is the payload.
const parsed = r
  .event("e")
  .payloadSchema(z.object({ a: z.number() }))
  .build();
expectTypeOf<ExtractEventPayload<typeof parsed>>().toEqualTypeOf<{ a: number }>();
const classic = event({ id: "e", payloadSchema: z.object({ a: z.number() }) });
expectTypeOf<ExtractEventPayload<typeof classic>>().toEqualTypeOf<{ a: number }>();
const plain = r.event("plain").build();
expectTypeOf<ExtractEventPayload<typeof plain>>().toEqualTypeOf<void>();

const created = r.event<{ id: string; at: Date }>("created").build();
const renamed = r.event<{ id: string; to: string }>("renamed").build();
const removed = r.event<{ id: string; by: number }>("removed").build();
const unrelated = r.event<{ zz: 1 }>("unrelated").build();

// Row 35: only what all payloads have is common.
expectTypeOf<CommonPayload<[typeof created, typeof renamed]>>().toEqualTypeOf<{ id: string }>();
expectTypeOf<CommonPayload<readonly [typeof created, typeof removed]>>().toEqualTypeOf<{ id: string }>();
expectTypeOf<keyof CommonPayload<[typeof created, typeof unrelated]>>().toEqualTypeOf<never>();
expectTypeOf<CommonPayload<typeof created>>().toEqualTypeOf<{ id: string; at: Date }>();
expectTypeOf(onAnyOf(created, removed)).toEqualTypeOf<readonly [typeof created, typeof removed]>();
expectTypeOf(onAnyOf([created, removed])).toEqualTypeOf<readonly [typeof created, typeof removed]>();

// Values at a common key may be of any of the payloads' types.
const counted = r.event<{ id: number; n: 1 }>("counted").build();
expectTypeOf<CommonPayload<[typeof created, typeof counted]>>().toEqualTypeOf<{ id: string | number }>();

// Row 36: telling events apart narrows the payload.
declare const emission: IEventEmission;
if (isOneOf(emission, [renamed, created])) expectTypeOf(emission.data).toEqualTypeOf<{ id: string }>();
if (isOneOf(emission, [created])) expectTypeOf(emission.data).toEqualTypeOf<{ id: string; at: Date }>();

// Beyond the rows.
r.event("e").payloadSchema<{ msg: string }>({ parse: (value) => value });
const all: IEvent<any>[] = [parsed, created, r.event("void").build()];
expectTypeOf(all).items.toHaveProperty("id");
