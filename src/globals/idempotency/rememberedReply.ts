import { helperIdOf, isRunnerError, type IErrorHelper } from "../../errors/defineError";
import { idempotencyReplyLostError } from "../../errors/idempotencyErrors";
import type { SerializerLike } from "../../serializer/codec";

/** How a run ended; an error that is thrown again is one of these. */
export interface Outcome {
  readonly isReplay: boolean;
  readonly value?: unknown;
  readonly error?: { readonly thrown: unknown };
}

/** Writes outcomes for a store, and reads them. */
export interface ReplyCodec {
  /** @throws {Error} what is remembered cannot be read here */
  read(reply: string | undefined): Outcome;
  /** @returns `undefined` where the call counts as not made */
  write(outcome: Outcome, taskId: string, limitChars: number): string | undefined;
}

/** A reply as a store keeps it, not checked beyond being an object. */
interface Remembered {
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly id: string; readonly data: unknown };
}

/** A limit, a time that is up, an input that does not fit: the next call may fare better. */
const isOfFramework = ({ id }: { readonly id: string }): boolean => id.startsWith("runner.errors.");

export function createReplyCodec(
  serializer: SerializerLike,
  errors: ReadonlyMap<string, IErrorHelper<any>>, // whatever their data
): ReplyCodec {
  const failure = (thrown: { readonly id?: string | undefined; readonly data?: unknown }): string =>
    serializer.stringify({ ok: false, error: { id: thrown.id, data: thrown.data } });
  return {
    read(reply) {
      const { ok, result, error } = serializer.parse<Remembered>(reply ?? "");
      if (ok === true) return { isReplay: true, value: result };
      const helper = errors.get(error?.id ?? "");
      if (helper?.create === undefined) throw new Error(`The remembered error "${error?.id}" is not registered here.`);
      return { isReplay: true, error: { thrown: helper.create(error?.data) } };
    },
    write({ error, value }, taskId, limitChars) {
      if (error !== undefined) {
        const { thrown } = error;
        if (!isRunnerError(thrown) || isOfFramework(thrown)) return undefined;
        return errors.get(helperIdOf(thrown))?.is(thrown) === true ? failure(thrown) : undefined;
      }
      const lost = (reason: string) => failure(idempotencyReplyLostError.create({ taskId, reason }));
      try {
        const text = serializer.stringify({ ok: true, result: value });
        return text.length <= limitChars ? text : lost(`it is longer than ${limitChars} characters`);
      } catch {
        return lost("it cannot be written as text");
      }
    },
  };
}
