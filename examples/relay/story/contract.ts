/** What caller and application both know. */
import { r } from "@bluelibs/runner";

export const outOfStock = r
  .error<{ sku: string }>("shop.errors.outOfStock")
  .format(({ sku }) => `No ${sku} left.`)
  .build();

/** Messages of the driver to the process that started it. */
export type DriverMessage = { readonly published: string } | { readonly packing: string };
