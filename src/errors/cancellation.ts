import { symbolErrorInstance } from "../lib/symbols";
import { declareError, isRunnerError } from "./defineError";

const cancellationId = "runner.errors.cancellation";

/** What a cancellation says about itself. */
export interface CancellationData {
  readonly reason?: string | undefined;
}

/**
 * Work was aborted on purpose: the caller aborted, disconnected, or the runtime shuts down.
 *
 * An exposure replies with 499. `instanceof` also holds for errors made by `cancellationError` and for those of
 * another copy of the package.
 */
export class CancellationError extends Error {
  // Declared, because where `Error.prototype` is frozen an inherited name cannot be assigned to.
  override name: string;
  readonly id = cancellationId;
  readonly data: CancellationData;

  /** @param reason also the message. Default message "Operation cancelled". */
  constructor(reason?: string, options?: ErrorOptions) {
    super(reason ?? "Operation cancelled", options);
    this.name = cancellationId;
    this.data = reason === undefined ? {} : { reason };
    Object.defineProperty(this, symbolErrorInstance, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass keeps the ordinary meaning. It is recognised by what it extends: bundlers rename a class that mentions itself.
    if (Object.getPrototypeOf(this) !== Error) return Function.prototype[Symbol.hasInstance].call(this, value);
    return isRunnerError(value) && value.name === cancellationId;
  }
}

/** Thrown when work was cancelled; `data.reason` says why. */
export const cancellationError = /* @__PURE__ */ declareError<CancellationData>(cancellationId, {
  message: ({ reason }) => reason ?? "Operation cancelled",
  construct: (_message, { reason }, options) => new CancellationError(reason, options),
});

/** Whether an error says that work was cancelled on purpose. */
export const isCancellationError = (error: unknown): boolean => cancellationError.is(error);
