/** What callers and server agree on; the server runs in the test or in another runtime, the callers in all of them. */
import { r } from "@bluelibs/runner";

export const token = "dev-secret";

export const soldOut = r.error<{ sku: string; since: Date }>("app.errors.soldOut").build();
export const visitor = r.asyncContext<{ name: string }>("app.contexts.visitor").build();
export const renamed = r.event<{ name: string; at?: Date }>("app.events.renamed").build();

/** Where the tests' server is. */
export interface Address {
  readonly baseUrl: string;
  /** Answers everything with a redirect to the exposure. */
  readonly redirectingUrl: string;
}
