/** Names a slot of a journal and its type. Keys with equal ids share a slot. */
export interface JournalKey<T> {
  readonly id: string;
  /** Type-only; makes `T` invariant, so a key cannot be widened and written through. */
  readonly $value?: (value: T) => T;
}

/** How a value is written. */
export interface JournalSetOptions {
  /** Replace an existing value. Default false: writing twice is an error. */
  override?: boolean | undefined;
}

/** Scratchpad of one task execution, shared by interceptors, middleware and the task itself. */
export interface ExecutionJournal {
  /** @throws {Error} the key is set already and `override` was not asked for */
  set<T>(key: JournalKey<T>, value: T, options?: JournalSetOptions): void;
  get<T>(key: JournalKey<T>): T | undefined;
  /** Also true for a stored `undefined`. */
  has<T>(key: JournalKey<T>): boolean;
}

/** @internal A class, because one is made per call that looks at its journal. */
export class MapJournal implements ExecutionJournal {
  readonly #slots = new Map<string, unknown>();

  set<T>(key: JournalKey<T>, value: T, options?: JournalSetOptions): void {
    if (this.#slots.has(key.id) && options?.override !== true) {
      throw new Error(`Journal key "${key.id}" already exists. Use { override: true } to overwrite.`);
    }
    this.#slots.set(key.id, value);
  }

  get<T>(key: JournalKey<T>): T | undefined {
    return this.#slots.get(key.id) as T | undefined;
  }

  has<T>(key: JournalKey<T>): boolean {
    return this.#slots.has(key.id);
  }
}

/** Makes journal keys, and journals to forward into several calls. */
export const journal = /* @__PURE__ */ Object.freeze({
  createKey: <T>(id: string): JournalKey<T> => Object.freeze({ id }),
  create: (): ExecutionJournal => new MapJournal(),
});
