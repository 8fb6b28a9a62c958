import { deadlineHeader } from "./headers";
import type { WireHeaders } from "./wire";

/** The milliseconds that a caller leaves for its call: digits alone. */
const wholeNumber = /^\d{1,15}$/;

/** @returns the time, `undefined` where the caller sets none, and `NaN` for what is no time and is therefore ignored */
export function readDeadlineMs(headers: WireHeaders): number | undefined {
  const given = headers[deadlineHeader];
  if (given === undefined) return undefined;
  return typeof given === "string" && wholeNumber.test(given.trim()) ? Number(given) : Number.NaN;
}
