/**
 * Independent boot problems, in the order they are to be reported.
 *
 * One problem rejects as itself. Several reject as the first one, with all of them under `errors` and the others' first
 * lines below its message.
 */
export interface Problems {
  add(problem: Error): void;
  /** Appends what another list gathered. */
  addAll(others: Problems): void;
  readonly errors: readonly Error[];
  /** Throws what was gathered, if anything. */
  throwIfAny(): void;
}

export function createProblems(): Problems {
  const errors: Error[] = [];
  return {
    errors,
    add: (problem) => void errors.push(problem),
    addAll: (others) => void errors.push(...others.errors),
    throwIfAny() {
      const [first, ...others] = errors;
      if (first === undefined) return;
      Object.defineProperty(first, "errors", { value: [...errors], enumerable: false });
      if (others.length > 0) {
        const lines = others.map((error) => `  - ${error.message.split("\n", 1)[0] ?? ""}`);
        first.message = `${first.message}\n${others.length} more problem${others.length > 1 ? "s" : ""}:\n${lines.join("\n")}`;
      }
      throw first;
    },
  };
}
