import { helperIdOf, isRunnerError, type RunnerError } from "../errors/defineError";
import { normalizeError } from "../errors/normaliseThrown";
import { TunnelError } from "../errors/tunnelError";
import type { ItemStream } from "../lib/itemStream";
import type { IsAny } from "../lib/typeLevel";
import type { ErrorsIn } from "./throwsList";

/**
 * How a call ended: with its value, with an error that the task says it throws, or with any other.
 *
 * `E` are the declared errors, told apart by `id`. A task that declares none may still throw an error of a helper; its data
 * is unknown then.
 */
export type SafeResult<Value, E = never> =
  | { readonly ok: true; readonly value: Value; readonly declared?: undefined; readonly error?: undefined }
  | {
      readonly ok: false;
      readonly declared: true;
      readonly error: [E] extends [never] ? RunnerError<unknown> : E;
      readonly value?: undefined;
    }
  | { readonly ok: false; readonly declared: false; readonly error: Error; readonly value?: undefined };

/** The arguments of a caller; those of a task without input may be left out. */
type ArgumentsOf<Caller extends (...call: never[]) => unknown> =
  Parameters<Caller> extends infer Call extends readonly unknown[]
    ? undefined extends Call[0]
      ? Partial<Call>
      : Call
    : never;

type DeclaredBy<Caller> = Caller extends { readonly $throws?: infer Slot } ? ErrorsIn<NonNullable<Slot>> : never;

/**
 * The items of a streamed task whose loop ends where the stream fails, and never throws. `result` says how the stream ended,
 * and whether the items were all of them.
 */
export interface SafeItemStream<Item, Result, E = never> {
  /** The value is what the task returned, or `undefined` after leaving the loop early. It never rejects. */
  readonly result: Promise<SafeResult<Result | undefined, E>>;
  [Symbol.asyncIterator](): AsyncIterator<Item, undefined, undefined>;
}

type Settled<Given, E> =
  IsAny<Given> extends true
    ? Promise<SafeResult<any, E>> // as given
    : Given extends ItemStream<infer Item, infer Result>
      ? SafeItemStream<Item, Result, E>
      : Promise<SafeResult<Awaited<Given>, E>>;

/**
 * Calls a task, injected or by its name of a client, and resolves to how that ended; it never rejects. A streamed task gives
 * its items, and how the stream ended as `result`.
 *
 * Errors count as declared if a helper of the application made them, in this process or another.
 */
export function safe<Caller extends (...call: never[]) => Promise<unknown> | ItemStream<unknown, unknown>>(
  task: Caller,
  ...call: ArgumentsOf<Caller>
): Settled<ReturnType<Caller>, DeclaredBy<Caller>>;
export function safe(
  task: (...call: unknown[]) => PromiseLike<unknown> | ItemStream<unknown, unknown>,
  ...call: unknown[]
): unknown {
  let given: PromiseLike<unknown> | ItemStream<unknown, unknown>;
  try {
    given = task(...call);
  } catch (error) {
    return settle(() => Promise.reject(error as Error));
  }
  // An untyped function may give anything.
  return given instanceof Object && Symbol.asyncIterator in given ? safeItems(given) : settle(() => given);
}

function safeItems(stream: ItemStream<unknown, unknown>): SafeItemStream<unknown, unknown> {
  const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
  return {
    result: settle(() => stream.result),
    [Symbol.asyncIterator]() {
      const items = stream[Symbol.asyncIterator]();
      // The result has the error.
      const quietly = (step: Promise<IteratorResult<unknown, unknown>>): Promise<IteratorResult<unknown, undefined>> =>
        step.then((each) => (each.done === true ? ended : each)).catch(() => ended);
      return { next: () => quietly(items.next()), return: () => quietly(items.return()) };
    },
  };
}

/**
 * Runs a call and resolves to how it ended.
 *
 * @param declared ids of the errors that the task says it throws, where they are known; otherwise those of all helpers that
 * are not the framework's count
 */
export async function settle<Value, E>(
  call: () => PromiseLike<Value>,
  declared?: readonly string[],
): Promise<SafeResult<Value, E>> {
  try {
    return { ok: true, value: await call() };
  } catch (thrown) {
    const error = normalizeError(thrown);
    const id = idOf(error);
    const isDeclared = id !== undefined && (declared ? declared.includes(id) : !id.startsWith("runner.errors."));
    // The types are those that the task states.
    return { ok: false, declared: isDeclared, error } as SafeResult<Value, E>;
  }
}

/** Id of the helper that made the error, also where this program has no such helper. */
function idOf(error: Error): string | undefined {
  if (isRunnerError(error)) return helperIdOf(error);
  return error instanceof TunnelError ? error.id : undefined;
}
