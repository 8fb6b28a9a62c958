import { cancellationError } from "../../errors/cancellation";
import { deadlineExceededError, type DeadlineExceededData } from "../../errors/deadlineExceeded";
import { helperIdOf, isRunnerError, type IErrorHelper, type RunnerError } from "../../errors/defineError";
import { idempotencyCodes } from "../../errors/idempotencyErrors";
import { bareMessageOf } from "../../errors/listenerFailure";
import { describeValidation, validationError } from "../../errors/runErrors";
import { isAccidental, readIssues } from "../../errors/validationIssues";
import { ofBegunCall } from "../../errors/begunCall";
import { internalError, requestAborted, WireFailure } from "../../errors/wireErrors";
import type { SerializerLike } from "../../serializer/codec";
import type { WireError } from "../protocol/envelope";
import type { WireResponse, WireTarget } from "../protocol/wire";

/** How far a call came. What was thrown while the task ran may be the application's result; nothing else can be. */
export type Phase = "authenticate" | "admit" | "read" | "run" | "encode";

/**
 * Decides what a caller learns about a failure.
 *
 * Refusals of the protocol, cancellations, errors whose helper is registered, and input that the addressed task or event
 * itself refused are sent; everything else is "Internal Error".
 */
export function toWireFailure(
  thrown: unknown,
  phase: Phase,
  target: WireTarget,
  errors: ReadonlyMap<string, IErrorHelper>,
): WireFailure {
  if (thrown instanceof WireFailure) return hasBegun(phase) && isRefusal(thrown) ? ofBegunCall(thrown) : thrown;
  if (deadlineExceededError.is(thrown)) return outOfTime(thrown);
  if (phase === "run" && isRunnerError(thrown)) {
    if (cancellationError.is(thrown)) return requestAborted();
    const helper = errors.get(helperIdOf(thrown));
    if (helper?.is(thrown)) return declared(thrown, helper);
    if (isRefusedInput(thrown, target)) return refusedInput(thrown);
  }
  return internalError(thrown);
}

const hasBegun = (phase: Phase): boolean => phase === "run" || phase === "encode";

/** What clients take for a call that was never taken. */
const isRefusal = ({ status, id }: WireFailure): boolean => status === 503 && id === undefined;

/**
 * Writes an error envelope; data that cannot be written is left out.
 *
 * @param onDropped receives why data is left out
 */
export function errorReply(
  failure: WireFailure,
  serializer: SerializerLike,
  onDropped: (why: unknown) => void,
): WireResponse {
  const { status, retryAfterSeconds } = failure;
  const headers = retryAfterSeconds === undefined ? undefined : { "retry-after": String(retryAfterSeconds) };
  return { status, headers, body: { kind: "text", text: errorText(failure, serializer, onDropped) } };
}

/** As `errorReply`, the envelope alone. */
export function errorText(
  { message, code, id, data, httpCode }: WireFailure,
  serializer: SerializerLike,
  onDropped: (why: unknown) => void,
): string {
  return write({ ok: false, error: { message, code, ...present({ id, data, httpCode }) } }, serializer, onDropped);
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

function declared(error: RunnerError, helper: IErrorHelper): WireFailure {
  const httpCode = error.httpCode ?? helper.httpCode;
  const { id } = error;
  return new WireFailure(
    {
      status: httpCode !== undefined && carriesBody(httpCode) ? httpCode : 500,
      message: bareMessageOf(error),
      code: codes.get(helper.id) ?? internalError.code,
      id: id ?? helper.id,
      data: error.data as unknown,
      httpCode,
      retryAfterSeconds: retryAfterSecondsOf(error.data),
    },
    error,
  );
}

/** Errors of the framework that have a code of their own. */
const codes: ReadonlyMap<string, string> = /* @__PURE__ */ (() =>
  new Map(idempotencyCodes.map(([{ id }, code]) => [id, code])))();

/** Data may say in `retryAfterMs` when another try is worth it; HTTP counts that in whole seconds. */
function retryAfterSecondsOf(data: unknown): number | undefined {
  const { retryAfterMs } = (data ?? {}) as { readonly retryAfterMs?: unknown };
  if (typeof retryAfterMs !== "number" || !(retryAfterMs >= 0 && retryAfterMs < longestRetryAfterMs)) return undefined;
  return Math.ceil(retryAfterMs / 1000);
}

/** A year: nothing sensible is more, and a larger number may not be written in digits alone. */
const longestRetryAfterMs = 31_622_400_000;
/** The time that a caller left for its call, or that a task set for one, is up. */
const outOfTime = (error: RunnerError<DeadlineExceededData>): WireFailure =>
  new WireFailure(
    {
      status: 504,
      code: "DEADLINE_EXCEEDED",
      message: bareMessageOf(error),
      id: deadlineExceededError.id,
      data: error.data,
      httpCode: 504,
    },
    error,
  );

/** A reply with another status would be cut short or taken for an interim one, and its caller would wait for ever. */
const carriesBody = (status: number): boolean => status >= 200 && status <= 599 && ![204, 205, 304].includes(status);

const subjects: Readonly<Record<WireTarget["kind"], readonly string[]>> = {
  task: ["Task input", "Task input item"],
  event: ["Event payload"],
  discovery: [],
  batch: [],
  subscribe: [],
};

/** The same failure of a task that was called in turn is a mistake of the server, and so is a schema that broke. */
function isRefusedInput(error: RunnerError, { kind, id }: WireTarget): boolean {
  if (!validationError.is(error)) return false;
  const { subject, id: refusing, originalError } = error.data;
  return subjects[kind].includes(subject) && refusing === id && !isAccidental(originalError);
}

function refusedInput(error: RunnerError): WireFailure {
  const { data } = error;
  const { subject, id, issues, originalError } = data;
  return new WireFailure(
    {
      status: 400,
      message: describeValidation(data),
      code: "VALIDATION_ERROR",
      data: { subject, id, issues: issues ?? readIssues(originalError) },
    },
    error,
  );
}
