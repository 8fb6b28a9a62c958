import { declareError } from "./defineError";

/** Which call had no time left. */
export interface DeadlineExceededData {
  /** Id of the task or event. */
  readonly id: string;
  /** The time that the call had, in ms; absent where it arrived without any. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The time of a call was up: its own `timeoutMs`, that of a call around it, or what a caller in another process had left.
 *
 * An exposure replies with 504, code `DEADLINE_EXCEEDED`.
 */
export const deadlineExceededError = /* @__PURE__ */ declareError<DeadlineExceededData>(
  "runner.errors.deadlineExceeded",
  {
    httpCode: 504,
    message: ({ id, timeoutMs }) =>
      timeoutMs === undefined ? `No time was left for "${id}".` : `"${id}" took longer than ${timeoutMs} ms.`,
    fix: () => "give the call more time by timeoutMs, or have the task stop earlier: its signal has aborted.",
  },
);
