import type { RegisterableItems } from "../define/resource";

const added: RegisterableItems[] = [];

/**
 * Has something registered in every run, and returns it. For what brings much code along: marked as pure, the call is left out
 * of applications that are bundled and do not refer to the result, and so is that code.
 */
export function alsoBuiltin<T extends RegisterableItems>(item: T): T {
  added.push(item);
  return item;
}

/** What was added. */
export const lateBuiltins = (): readonly RegisterableItems[] => added;
