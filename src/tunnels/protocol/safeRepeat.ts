import { isError } from "../../errors/normaliseThrown";
import { isPlainObject } from "../../lib/guards";
import { deliveryOf, type Delivery } from "./delivery";

/** Whether a call that failed may be made once more, by how far it came. */
const repeatable: Readonly<Record<Delivery, "always" | "if idempotent" | "never">> = {
  no: "always",
  unknown: "if idempotent",
  answered: "never",
};

/** What is known of a failed call, and whether making it once more can do twice what is meant to be done once. */
export interface RepeatVerdict {
  readonly delivery: Delivery;
  readonly isSafe: boolean;
}

/**
 * Judges a failed call to another process: by the retry middleware, and by whatever chooses among several endpoints.
 *
 * @param isIdempotent whether the task may run twice for one call without harm
 */
export function judgeRepeat(error: unknown, isIdempotent: boolean): RepeatVerdict {
  const delivery = deliveryOf(error);
  return { delivery, isSafe: mayRepeat(delivery, isIdempotent) };
}

/** Whether a call that came this far may be made once more. */
export function mayRepeat(delivery: Delivery, isIdempotent: boolean): boolean {
  const rule = repeatable[delivery];
  return rule === "always" || (rule === "if idempotent" && isIdempotent);
}

/**
 * Adds `details.delivered` to an error that ends a call without a reply: `"no"`, the call was never taken; `"unknown"`, it may
 * have been. Errors that are a reply stay as they are. @returns the error itself
 */
export function tellDelivery<E>(error: E, delivery: Delivery): E {
  if (delivery === "answered" || !isError(error) || !Object.isExtensible(error)) return error;
  const { details } = error as { readonly details?: unknown };
  if (details === undefined) Object.assign(error, { details: { delivered: delivery } });
  // Of what a proxy answered, its details tell more than that.
  else if (isPlainObject(details) && Object.isExtensible(details)) details["delivered"] ??= delivery;
  return error;
}
