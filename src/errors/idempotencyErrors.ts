import { declareError, type IErrorHelper } from "./defineError";

/** Which call it was. */
export interface IdempotencyErrorData {
  readonly taskId: string;
}

/** A key was used for another input. Code `IDEMPOTENCY_CONFLICT` on the wire. */
export const idempotencyConflictError = /* @__PURE__ */ declareError<IdempotencyErrorData>(
  "runner.errors.idempotencyConflict",
  {
    httpCode: 422,
    message: ({ taskId }) => `The idempotency key of this call of task "${taskId}" belongs to another input.`,
    fix: () => "use a new key for each thing that is to happen once.",
  },
);

/** The store of replies does not answer, so the call was not made. Code `IDEMPOTENCY_UNAVAILABLE` on the wire. */
export const idempotencyUnavailableError = /* @__PURE__ */ declareError<IdempotencyErrorData>(
  "runner.errors.idempotencyUnavailable",
  {
    httpCode: 503,
    message: ({ taskId }) => `Task "${taskId}" was not called: what remembers its replies is not available.`,
    fix: () => "repeat the call with the same key later.",
  },
);

/** The call cannot have a key. Code `IDEMPOTENCY_UNSUPPORTED` on the wire. */
export const idempotencyUnsupportedError = /* @__PURE__ */ declareError<
  IdempotencyErrorData & { readonly reason: string }
>("runner.errors.idempotencyUnsupported", {
  httpCode: 400,
  message: ({ taskId, reason }) => `A call of task "${taskId}" cannot be kept from happening twice: ${reason}.`,
});

/** The call was made, and its reply cannot be given again. Code `IDEMPOTENCY_REPLY_LOST` on the wire. */
export const idempotencyReplyLostError = /* @__PURE__ */ declareError<
  IdempotencyErrorData & { readonly reason: string }
>("runner.errors.idempotencyReplyLost", {
  httpCode: 409,
  message: ({ taskId, reason }) => `Task "${taskId}" was called, and its reply cannot be given again: ${reason}.`,
});

/**
 * The server that had the key of the call did not renew it in time, another one was given it, and gave it up without a reply.
 * Code `IDEMPOTENCY_LEASE_LOST` on the wire.
 */
export const idempotencyLeaseLostError = /* @__PURE__ */ declareError<IdempotencyErrorData>(
  "runner.errors.idempotencyLeaseLost",
  {
    httpCode: 503,
    message: ({ taskId }) =>
      `A call of task "${taskId}" lost its idempotency key to another server, and there is no reply.`,
    fix: () => "repeat the call with the same key. It may have been made in part.",
  },
);

/** Too many calls wait for one that has their key. Code `IDEMPOTENCY_BUSY` on the wire. */
export const idempotencyBusyError = /* @__PURE__ */ declareError<IdempotencyErrorData & { readonly limit: number }>(
  "runner.errors.idempotencyBusy",
  {
    httpCode: 503,
    message: ({ taskId, limit }) =>
      `${limit} calls of task "${taskId}" wait for the one that has their idempotency key.`,
    fix: () => "repeat the call with the same key later.",
  },
);

/** All of these, with their codes on the wire. */
export const idempotencyCodes: readonly (readonly [helper: IErrorHelper, code: string])[] = /* @__PURE__ */ (() => [
  [idempotencyBusyError, "IDEMPOTENCY_BUSY"],
  [idempotencyConflictError, "IDEMPOTENCY_CONFLICT"],
  [idempotencyLeaseLostError, "IDEMPOTENCY_LEASE_LOST"],
  [idempotencyReplyLostError, "IDEMPOTENCY_REPLY_LOST"],
  [idempotencyUnavailableError, "IDEMPOTENCY_UNAVAILABLE"],
  [idempotencyUnsupportedError, "IDEMPOTENCY_UNSUPPORTED"],
])();
