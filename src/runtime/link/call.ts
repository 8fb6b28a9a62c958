import { MapJournal, type ExecutionJournal } from "../../define/journal";
import type { CallInfo, TaskCallOptions } from "../../define/task";

/** Where the signal of a call comes from. Reading it may be what makes it, so it is passed on unread. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

/** What a call may be given from inside the framework. */
export interface InvokeOptions extends TaskCallOptions {
  /** Stands in for `signal` where making one costs; `signal` takes its place when both are given. */
  readonly signalSource?: SignalSource | undefined;
}

export function signalSourceOf({ signal, signalSource }: InvokeOptions): SignalSource | undefined {
  return signal === undefined ? signalSource : { signal };
}

/**
 * One execution of a task: what its interceptors, middleware and body share.
 *
 * A class with lazy getters, because one is made per call and most calls look at neither.
 */
export class Call implements CallInfo {
  #journal: ExecutionJournal | undefined;
  #signal: AbortSignal | undefined;
  /** What the caller gave, if anything; tasks called in turn inherit it. */
  readonly given: SignalSource | undefined;

  constructor(journal: ExecutionJournal | undefined, given: SignalSource | undefined) {
    this.#journal = journal;
    this.given = given;
  }

  get journal(): ExecutionJournal {
    return (this.#journal ??= new MapJournal());
  }

  get signal(): AbortSignal {
    return this.given?.signal ?? (this.#signal ??= new AbortController().signal);
  }
}
