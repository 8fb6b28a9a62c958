/** What both sides agree on: the shapes of the call, and an error that may end it. */
import { r } from "@bluelibs/runner";

export interface Range {
  from: number;
  to: number;
}

export interface Row {
  id: number;
  createdAt: Date;
}

export interface Summary {
  total: number;
}

export const tableClosed = r
  .error<{ at: number }>("shop.errors.tableClosed")
  .format(({ at }) => `the table was closed at row ${at}`)
  .httpCode(409)
  .build();
