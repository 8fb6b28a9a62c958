/** What both sides know: contexts that travel along, and errors that are the same there and here. */
import { r } from "@bluelibs/runner";

/** Values are serialised, so dates stay dates. */
export const trace = r.asyncContext<{ requestId: string; startedAt: Date }>("bank.contexts.trace").build();

/** Contexts may be written in a way of their own. */
export const locale = r
  .asyncContext<string>("bank.contexts.locale")
  .serialize((tag) => tag)
  .parse((text) => text)
  .build();

export const insufficientFunds = r
  .error<{ missing: number; availableAt: Date }>("bank.errors.insufficientFunds")
  .format(({ missing }) => `${missing} short`)
  .httpCode(409)
  .build();

export interface Transfer {
  to: string;
  amount: number;
}
