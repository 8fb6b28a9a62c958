/** The switch: what joins the processes. Nothing else in this folder knows which one it is. */
import type { IdempotencyStore, IResource, RegisterableItems } from "@bluelibs/runner";

/** How the services reach each other, as definitions to register. */
export interface Composition {
  /** For the gateway: charges are made, and payments heard, in other processes. */
  gateway(): readonly RegisterableItems[];
  /** For a payment worker: it is called from elsewhere. */
  payments(): readonly RegisterableItems[];
  /** For the mailer: it hears what is emitted elsewhere. */
  mailer(): readonly RegisterableItems[];
  /** Which charges were made; all payment workers have the same. */
  readonly store: IdempotencyStore | IResource<any, Promise<IdempotencyStore>>;
}

export const carrier = process.env["CARRIER"] === "nats" ? "nats" : "http";

/** Loaded where it is needed: the packages of a broker are not, over HTTP. */
export const composition = async (): Promise<Composition> =>
  carrier === "nats" ? (await import("./overNats")).overNats : (await import("./overHttp")).overHttp;
