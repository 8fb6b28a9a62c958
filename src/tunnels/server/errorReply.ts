import { cancellationError } from "../../errors/cancellation";
import { isRunnerError, type IErrorHelper, type RunnerError } from "../../errors/defineError";
import { bareMessageOf } from "../../errors/listenerFailure";
import { describeValidation, validationError } from "../../errors/runErrors";
import { isAccidental, readIssues } from "../../errors/validationIssues";
import { internalError, requestAborted, WireFailureError, type WireFailure } from "../../errors/wireErrors";
import type { SerializerLike } from "../../serializer/codec";
import type { WireError } from "../protocol/envelope";
import type { WireResponse, WireTarget } from "../protocol/wire";

/** How far a call came. What was thrown while the task ran may be the application's result; nothing else can be. */
export type Phase = "authenticate" | "admit" | "read" | "run" | "encode";

/** A failure, ready to be sent. */
export interface FailureAnswer {
  readonly status: number;
  readonly error: WireError;
  /** When it may be worth another try, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether the caller gets no detail, so that the log should. */
  readonly opaque: boolean;
}

/**
 * Decides what a caller learns about a failure.
 *
 * Refusals of the protocol, cancellations, errors whose helper is registered, and input that the addressed task or event
 * itself refused are sent; everything else is "Internal Error".
 */
export function answerFailure(
  thrown: unknown,
  phase: Phase,
  target: WireTarget,
  errors: ReadonlyMap<string, IErrorHelper>,
): FailureAnswer {
  if (thrown instanceof WireFailureError) {
    const { failure } = thrown;
    // A mistake of the task, which its caller can do nothing about.
    return { ...refusal(failure), opaque: failure.code === "UNSTREAMABLE_RESULT" };
  }
  if (phase === "run" && isRunnerError(thrown)) {
    if (cancellationError.is(thrown)) return refusal(requestAborted);
    const helper = errors.get(thrown.name);
    if (helper?.is(thrown)) return declared(thrown, helper);
    if (isRefusedInput(thrown, target)) return refusedInput(thrown);
  }
  return { ...refusal(internalError), opaque: true };
}

/**
 * Writes an error envelope; data that cannot be written is left out.
 *
 * @param onDropped receives why data is left out
 */
export function errorReply(
  answer: FailureAnswer,
  serializer: SerializerLike,
  onDropped: (why: unknown) => void,
): WireResponse {
  const { status, error, retryAfterSeconds } = answer;
  const { message, code, id, data, httpCode } = error;
  const envelope = { ok: false as const, error: { message, code, ...present({ id, data, httpCode }) } };
  const headers = retryAfterSeconds === undefined ? undefined : { "retry-after": String(retryAfterSeconds) };
  return { status, headers, body: { kind: "text", text: write(envelope, serializer, onDropped) } };
}

function write(
  envelope: { readonly ok: false; readonly error: WireError },
  serializer: SerializerLike,
  onDropped: (why: unknown) => void,
): string {
  try {
    return serializer.stringify(envelope);
  } catch (why) {
    onDropped(why);
    const { data: _unwritable, ...error } = envelope.error;
    return serializer.stringify({ ...envelope, error });
  }
}

const present = (facts: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));

const refusal = ({ status, code, message, retryAfterSeconds }: WireFailure): FailureAnswer => ({
  status,
  error: { message, code },
  retryAfterSeconds,
  opaque: false,
});

function declared(error: RunnerError, helper: IErrorHelper): FailureAnswer {
  const httpCode = error.httpCode ?? helper.httpCode;
  const { id } = error;
  return {
    status: httpCode !== undefined && carriesBody(httpCode) ? httpCode : 500,
    error: {
      message: bareMessageOf(error),
      code: internalError.code,
      id: id ?? helper.id,
      data: error.data as unknown,
      httpCode,
    },
    opaque: false,
  };
}

/** A reply with another status would be cut short or taken for an interim one, and its caller would wait for ever. */
const carriesBody = (status: number): boolean => status >= 200 && status <= 599 && ![204, 205, 304].includes(status);

const subjects = { task: "Task input", event: "Event payload", discovery: undefined } as const;

/** The same failure of a task that was called in turn is a mistake of the server, and so is a schema that broke. */
function isRefusedInput(error: RunnerError, { kind, id }: WireTarget): boolean {
  if (!validationError.is(error)) return false;
  const { subject, id: refusing, originalError } = error.data;
  return subject === subjects[kind] && refusing === id && !isAccidental(originalError);
}

function refusedInput({ data }: RunnerError): FailureAnswer {
  const { subject, id, issues, originalError } = data;
  return {
    status: 400,
    error: {
      message: describeValidation(data),
      code: "VALIDATION_ERROR",
      data: { subject, id, issues: issues ?? readIssues(originalError) },
    },
    opaque: false,
  };
}
