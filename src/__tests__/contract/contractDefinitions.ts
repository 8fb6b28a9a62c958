import { r } from "../../index";

/** What both ends of a call know, a browser's page among them. */
export const soldOut = r
  .error<{ sku: string; since: Date }>("contract.errors.soldOut")
  .format(({ sku }) => `No ${sku} left`)
  .build();
export const visitor = r.asyncContext<{ name: string; since: Date }>("contract.visitor").build();
export const locale = r.asyncContext<string>("contract.locale").build();
