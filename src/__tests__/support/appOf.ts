import { r, type IResource, type RegisterableItems } from "../../index";

/** A root that registers these and nothing else. */
export function appOf(...items: readonly RegisterableItems[]): IResource<void, Promise<unknown>> {
  return r.resource("app").register(items).build();
}
