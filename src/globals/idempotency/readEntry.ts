import { describeGiven } from "../../lib/describeValue";
import type { IdempotencyEntry } from "../../tunnels/routing/idempotencyStore";

const states: ReadonlySet<unknown> = /* @__PURE__ */ new Set<IdempotencyEntry["state"]>([
  "new",
  "running",
  "done",
  "conflict",
]);

/**
 * What a store says of a key. Stores are written by applications: an answer that cannot be understood must not pass for a key that
 * is free.
 *
 * @throws {TypeError} it is no such answer
 */
export function readEntry(answer: unknown): IdempotencyEntry {
  const { state, reply } = (answer ?? {}) as { readonly state?: unknown; readonly reply?: unknown };
  if (!states.has(state)) {
    throw new TypeError(
      `begin of an idempotency store must resolve to { state: "new" | "running" | "done" | "conflict" }, got ${
        state === undefined ? describeGiven(answer) : `state ${describeGiven(state)}`
      }.`,
    );
  }
  if (state === "done" && typeof reply !== "string") {
    throw new TypeError(
      `begin of an idempotency store must resolve with the reply that finish was given, got ${describeGiven(reply)}.`,
    );
  }
  return answer as IdempotencyEntry;
}
