import { MapJournal, type ExecutionJournal } from "../../define/journal";
import type { ItemsToSend } from "../../define/itemInput";
import type { CallDeadline, CallInfo, TaskCallOptions } from "../../define/task";
import { withSignal, type CallScope } from "../callScope";

/** What a call may be given from inside the framework. */
export interface InvokeOptions extends TaskCallOptions {
  /** The scope of the caller; a `signal` that is given as well takes the place of its signal. */
  readonly scope?: CallScope | undefined;
  /** The call is on the tracing channel already. */
  readonly isPublished?: true;
  /** What the caller passes beside the input, to a task that takes items. */
  readonly items?: ItemsToSend<unknown> | undefined;
}

/** The items of a caller, shared by all that goes on in one call. */
export interface ItemsOfCaller {
  readonly items: ItemsToSend<unknown>;
  /** Whether a body has begun to read them, which can be done once. */
  isRead?: boolean;
}

export const scopeOf = ({ signal, scope }: InvokeOptions): CallScope | undefined =>
  signal === undefined ? scope : withSignal(scope, signal);

/** The time a call is given. A signal of its own takes the place of the outer one, which would have told that time is up. */
export function timeoutOf({ signal, scope, timeoutMs }: InvokeOptions): number | undefined {
  const outer = signal === undefined ? undefined : scope?.deadline;
  return outer === undefined ? timeoutMs : Math.min(timeoutMs ?? Infinity, outer.remainingMs);
}

/**
 * One execution of a task: what its interceptors, middleware and body share.
 *
 * A class with lazy getters, because one is made per call and most calls look at neither.
 */
export class Call implements CallInfo {
  #journal: ExecutionJournal | undefined;
  #signal: AbortSignal | undefined;
  // Declared alone: most calls have none of them.
  /** What the caller passes beside the input. */
  declare given?: ItemsOfCaller;
  /** The idempotency key of a call that another process is to make once. */
  declare idempotencyKey?: string;
  /** The same as the body reads it. */
  declare items?: AsyncIterable<unknown>;
  /** Inherited by what the task calls in turn. */
  readonly scope: CallScope | undefined;

  constructor(journal: ExecutionJournal | undefined, scope: CallScope | undefined) {
    this.#journal = journal;
    this.scope = scope;
  }

  get journal(): ExecutionJournal {
    return (this.#journal ??= new MapJournal());
  }

  get deadline(): CallDeadline | undefined {
    return this.scope?.deadline;
  }

  get origin(): string {
    return this.scope?.origin ?? "local";
  }

  get name(): string | undefined {
    return this.scope?.caller?.name;
  }

  /** What authentication found out about the caller. */
  get principal(): unknown {
    return this.scope?.caller?.principal;
  }

  get signal(): AbortSignal {
    return this.scope?.signal ?? (this.#signal ??= new AbortController().signal);
  }

  /** The same execution, under another scope. */
  within(scope: CallScope): Call {
    const inner = new Call(this.journal, scope);
    if (this.given !== undefined) inner.given = this.given;
    if (this.idempotencyKey !== undefined) inner.idempotencyKey = this.idempotencyKey;
    return inner;
  }
}
