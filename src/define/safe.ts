import { helperIdOf, isRunnerError, type RunnerError } from "../errors/defineError";
import { normalizeError } from "../errors/normaliseThrown";
import { TunnelError } from "../errors/tunnelError";
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
 * Calls an injected task and resolves to how that ended; it never rejects.
 *
 * Errors count as declared if a helper of the application made them, in this process or another.
 */
export function safe<Caller extends (...call: never[]) => Promise<unknown>>(
  task: Caller,
  ...call: ArgumentsOf<Caller>
): Promise<SafeResult<Awaited<ReturnType<Caller>>, DeclaredBy<Caller>>> {
  type Value = Awaited<ReturnType<Caller>>;
  const invoke = task as unknown as (...given: readonly unknown[]) => PromiseLike<Value>;
  return settle<Value, DeclaredBy<Caller>>(() => invoke(...(call as readonly unknown[])));
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
