import type { IdIn } from "../lib/idSlot";

/** The id of a task as a literal; `never` for anything else. */
export type TaskIdOf<T> = T extends { readonly kind: "task"; readonly $id?: infer Slot } ? IdIn<Slot> : never;

/** The id of an event as a literal; `never` for anything else. */
export type LiteralEventIdOf<T> = T extends { readonly kind: "event"; readonly $id?: infer Slot } ? IdIn<Slot> : never;

/** The id of an event; just `string` where the type does not say which, as after `r.event<Payload>(id)`. */
export type EventIdOf<T> = T extends { readonly kind: "event" }
  ? [LiteralEventIdOf<T>] extends [never]
    ? string
    : LiteralEventIdOf<T>
  : never;

/**
 * How a caller names a task of a module: by its id. A task that streams items is named as such, since nothing but its type
 * is there to say so.
 */
export type TaskName<T> = "$items" extends keyof T ? { readonly id: TaskIdOf<T>; readonly streams: true } : TaskIdOf<T>;

/** Names of the tasks that a module exports, to their ids. `M` is its type: `import type * as Billing`, `typeof Billing`. */
export type TaskNames<M> = {
  readonly [K in keyof M as [TaskIdOf<M[K]>] extends [never] ? never : K]: TaskName<M[K]>;
};

/** Names of the events that a module exports, to their ids. */
export type EventNames<M> = {
  readonly [K in keyof M as [EventIdOf<M[K]>] extends [never] ? never : K]: EventIdOf<M[K]>;
};
