import type { BindErrorCode } from "../../../relay/codes";

/** The relay refused a binding. */
export class TunnelBindError extends Error {
  readonly code: BindErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(code: BindErrorCode, message: string, retryable: boolean) {
    super(`The relay refused the binding (${code}): ${message}`);
    this.name = "TunnelBindError";
    this.code = code;
    this.retryable = retryable;
  }
}

/** The relay refused the credentials. */
export class TunnelRefusedError extends Error {
  readonly status: number;

  constructor(status: number, answer: string) {
    super(`The relay refused the connection with ${status}. Check the token. It said: ${answer.slice(0, 200)}`);
    this.name = "TunnelRefusedError";
    this.status = status;
  }
}
