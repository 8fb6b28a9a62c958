import { given } from "../errors/bootErrors";
import { captureFilePath, withFilePath, type FilePath } from "../lib/filePath";
import { noEntries, noItems } from "../lib/nothing";
import { optional, type Injectable, type IOptionalDependency, type Unbuilt } from "../lib/injectable";
import type { IdSlot } from "../lib/idSlot";
import type { Schema } from "../lib/schema";
import { symbolEvent, symbolFilePath } from "../lib/symbols";
import type { IsAny } from "../lib/typeLevel";
import type { GivenMeta, IEventMeta, TagType } from "./attachments";
import type { EventIdOf } from "./remote";
import { assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import { appendTo, type ReplaceOption } from "./builderLists";

/** Emits an event a definition depends on; resolves when all listeners finished. */
export type EventDependencyCaller<P> =
  IsAny<P> extends true
    ? (input?: any) => Promise<void> // an `any` payload takes anything
    : [P] extends [void]
      ? (() => Promise<void>) & ((input?: Record<string, never>) => Promise<void>)
      : (input: P) => Promise<void>;

/** A typed message. */
export interface IEvent<P = any, Id extends string = string> extends Injectable {
  readonly kind: "event";
  readonly id: string;
  readonly meta: IEventMeta;
  readonly tags: TagType[];
  /** Validates, and may transform, the payload of every emission. */
  readonly payloadSchema?: Schema<P> | undefined;
  /** Whether listeners of equal order run at the same time. */
  readonly parallel: boolean;
  readonly [symbolEvent]: true;
  readonly [symbolFilePath]: string;
  optional(): IOptionalDependency<this>;
  readonly $payload?: readonly [P];
  readonly $id?: IdSlot<Id>;
  readonly $injects?: readonly [EventDependencyCaller<P>];
  readonly $injectsInResource?: readonly [unknown];
}

/** An event, looked at for its payload alone. */
export interface EventReference<P = any> {
  readonly kind: "event";
  readonly id: string;
  readonly $payload?: readonly [P];
}

/** One occurrence of an event, as listeners see it. Fresh for every emission. */
export interface IEventEmission<P = any> {
  /** Of the event. */
  readonly id: string;
  /** The payload; where listeners run one after another, the next one sees what this one has made of it. */
  data: P;
  /** When it was emitted. */
  readonly timestamp: Date;
  /** Id of what emitted it; `"outside"` for `emitEvent` of a run, `"run"` for the ready event. */
  readonly source: string;
  readonly meta: IEventMeta;
  readonly tags: TagType[];
  /** Aborts with the signal of the caller of what emitted it; absent where there is no such caller, and on copies. */
  readonly signal?: AbortSignal | undefined;
  /** No later listener sees this emission. */
  stopPropagation(): void;
  /** Whether a listener has called `stopPropagation`. */
  isPropagationStopped(): boolean;
}

/** A listener of an event. */
export type EventHandlerType<P = any> = (event: IEventEmission<P>) => any; // whatever a listener returns is ignored

/** An event as `event({ ... })` takes it. */
export interface IEventDefinition<P = any> {
  readonly id: string;
  readonly meta?: GivenMeta<IEventMeta> | undefined;
  /** Validates, and may transform, the payload of each emission. */
  readonly payloadSchema?: Schema<P> | undefined;
  readonly tags?: readonly TagType[] | undefined;
  /** Run listeners of equal order at the same time. Default false. */
  readonly parallel?: boolean | undefined;
}

/** The payload of an event definition. */
export type PayloadOf<E> = E extends { readonly $payload?: readonly [infer P] } ? P : never;
/** What an event carries, as its hooks receive it. */
export type ExtractEventPayload<E> = PayloadOf<E>;

type Pick1<U, K extends PropertyKey> = { [P in K]: U extends Record<P, infer V> ? V : never };
// `keyof` of a union is the keys all members share.
type CommonOf<U> = IsAny<U> extends true ? any : Pick1<U, keyof U>; // an `any` payload takes anything

/** What the payloads of several events have in common; the payload itself for one event. */
export type CommonPayload<T> =
  IsAny<T> extends true
    ? any // nothing is known about the events
    : T extends readonly (infer E)[]
      ? CommonOf<PayloadOf<E>>
      : PayloadOf<T>;

/** Fluent form of `IEventDefinition`; every method returns a new builder. */
export interface EventFluentBuilder<P = void, Id extends string = string> extends Unbuilt {
  readonly id: Id;
  /** Validates, and may transform, the payload of each emission. */
  payloadSchema<N>(schema: Schema<N>): EventFluentBuilder<N, Id>;
  /** Adds tags; `{ override: true }` replaces them. */
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): EventFluentBuilder<P, Id>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends IEventMeta>(meta: M): EventFluentBuilder<P, Id>;
  /** Run listeners of equal order at the same time. */
  parallel(enabled?: boolean): EventFluentBuilder<P, Id>;
  /** Gives the finished definition, which is frozen. */
  build(): IEvent<P, Id>;
}

/**
 * Starts an event. Its id is part of the type, which callers in other programs have checked and completed; not so where the
 * type of the payload is written out, since TypeScript infers no other type argument then.
 */
export interface EventStarter {
  <P extends void, Id extends string>(id: Id): EventFluentBuilder<P, Id>;
  <P = void>(id: string): EventFluentBuilder<P>;
  readonly phantom: {
    /**
     * An event that another program emits or listens to, by the type it has there:
     * `of<typeof Billing.charged>("billing.events.charged")`. It is finished, there is nothing to build.
     *
     * @param id checked and completed, unless `r.event<Payload>(id)` has lost it
     */
    of<E extends IEvent<any>>(id: EventIdOf<E>): E;
  };
}

export const isEvent = (value: unknown): value is IEvent => hasBrand(value, symbolEvent);

function startEvent(id: string): EventFluentBuilder<any, any> {
  assertId("event", id);
  const filePath = captureFilePath(startEvent);
  const at = (definition: IEventDefinition): unknown =>
    Object.freeze({
      id,
      payloadSchema: (payloadSchema: Schema) => at({ ...definition, ...given("Event", id, { payloadSchema }) }),
      tags(tags: readonly TagType[], option?: ReplaceOption) {
        assertList("Event", id, "tags", tags);
        return at({ ...definition, tags: appendTo(definition.tags, tags, option) });
      },
      meta: (meta: IEventMeta) => at({ ...definition, meta }),
      parallel: (parallel = true) => at({ ...definition, parallel }),
      build: () => createEvent(definition, filePath),
    });
  return at({ id }) as EventFluentBuilder<any, any>; // payload and id exist only for the checker
}

export const eventBuilder = /* @__PURE__ */ Object.assign(startEvent, {
  phantom: /* @__PURE__ */ Object.freeze({ of: remoteEvent }),
}) as EventStarter;

/** Makes an event that belongs to another program. */
export function remoteEvent(id: string): IEvent {
  assertId("event", id);
  return createEvent({ id }, captureFilePath(remoteEvent));
}

/** Makes an event from a definition object. */
export function defineEvent<P = void>(definition: IEventDefinition<P>): IEvent<P> {
  assertId("event", definition.id);
  return createEvent(definition, captureFilePath(defineEvent));
}

function createEvent(definition: IEventDefinition, filePath: FilePath): IEvent {
  const { id, meta = noEntries, tags = noItems, payloadSchema, parallel = false } = definition;
  assertSchema("Event", id, "payloadSchema", payloadSchema);
  const event = {
    kind: "event",
    id,
    meta,
    tags,
    payloadSchema,
    parallel,
    optional,
    [symbolEvent]: true,
  };
  return Object.freeze(withFilePath(event, filePath)) as unknown as IEvent;
}

/** Several events to listen to; takes them one by one or as one array. */
export function onAnyOf<const T extends readonly EventReference[]>(events: T): T;
export function onAnyOf<const T extends readonly EventReference[]>(...events: T): T;
export function onAnyOf(...events: readonly (EventReference | readonly EventReference[])[]): readonly EventReference[] {
  return events.flat();
}

/** Whether an emission is of one of the events, by id. */
export function isOneOf<const T extends readonly EventReference[]>(
  emission: IEventEmission<any>,
  events: T,
): emission is IEventEmission<CommonPayload<T>> {
  return events.some((event) => event.id === emission.id);
}
