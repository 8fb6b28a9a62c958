import type { IdIn } from "../lib/idSlot";
import type { Task, TaskInput } from "./task";

/** The id of a task as a literal; `never` for anything else. Read off the type argument: it is asked of every export. */
export type TaskIdOf<T> = T extends Task<any, any, any, any, infer Id, any> ? (string extends Id ? never : Id) : never;

/** The id of an event as a literal; `never` for anything else. */
export type LiteralEventIdOf<T> = T extends { readonly kind: "event"; readonly $id?: infer Slot } ? IdIn<Slot> : never;

/** The id of an event; just `string` where the type does not say which, as after `r.event<Payload>(id)`. */
export type EventIdOf<T> = T extends { readonly kind: "event" }
  ? [LiteralEventIdOf<T>] extends [never]
    ? string
    : LiteralEventIdOf<T>
  : never;

/** Says in place of an id, which the checker compares with the text that was given, why there is none. */
type NoId = "the type of this task has no id: leave its annotation out";

/** A task whose calls may be repeated, as `globals.tags.idempotent` says of one that is defined on this side. */
export interface IdempotentTaskName<T> {
  readonly id: TaskIdOf<T>;
  /**
   * `true`: it may be called twice for one call without harm, or its own tag makes keys; with `key`, which makes one of the
   * input, 1 to 200 visible ASCII characters, its calls happen once.
   */
  readonly idempotent: true | { readonly key: (input: TaskInput<T>) => string };
}

/**
 * How a caller names a task of a module: by its id, or with what is said of its calls. A task that streams items is named as
 * such, since nothing but its type is there to say so.
 */
export type TaskName<T> = [TaskIdOf<T>] extends [never]
  ? NoId
  : "$items" extends keyof T
    ? { readonly id: TaskIdOf<T>; readonly streams: true }
    : TaskIdOf<T> | IdempotentTaskName<T>;

/** Names of the exports of one kind. By the kind alone: it is asked of every export, whatever few of them are used. */
type KeysOfKind<M, Kind extends string> = {
  readonly [K in keyof M]: M[K] extends { readonly kind: Kind } ? K : never;
}[keyof M];

// What goes over the keys of these leads an editor from a name to the export.

/** The tasks that a module exports. `M` is its type: `import type * as Billing`, `typeof Billing`. */
export type TaskExports<M> = Pick<M, KeysOfKind<M, "task">>;
/** The events that a module exports. */
export type EventExports<M> = Pick<M, KeysOfKind<M, "event">>;

/** Names of the tasks that a module exports, to their ids. */
export type TaskNames<M> = { readonly [K in keyof TaskExports<M>]: TaskName<M[K]> };

/** Names of the events that a module exports, to their ids. */
export type EventNames<M> = { readonly [K in keyof EventExports<M>]: EventIdOf<M[K]> };
