import { MapJournal, type ExecutionJournal } from "../define/journal";
import type { CallInfo } from "../define/task";

/**
 * One execution of a task: what its interceptors, middleware and body share.
 *
 * A class with lazy getters, because one is made per call and most calls look at neither.
 */
export class Call implements CallInfo {
  #journal: ExecutionJournal | undefined;
  #signal: AbortSignal | undefined;
  /** The signal the caller gave, if any; tasks called in turn inherit it. */
  readonly givenSignal: AbortSignal | undefined;

  constructor(journal: ExecutionJournal | undefined, signal: AbortSignal | undefined) {
    this.#journal = journal;
    this.givenSignal = signal;
  }

  get journal(): ExecutionJournal {
    return (this.#journal ??= new MapJournal());
  }

  get signal(): AbortSignal {
    return this.givenSignal ?? (this.#signal ??= new AbortController().signal);
  }
}
