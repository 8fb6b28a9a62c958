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

type MakeDebugItem = (given: unknown) => RegisterableItems;
const debugMakers: MakeDebugItem[] = [];

/** Has what `run(app, { debug })` registers come with what refers to it, as `alsoBuiltin` does. */
export function provideDebug(make: MakeDebugItem): void {
  debugMakers[0] = make;
}

/**
 * What `run(app, { debug })` registers.
 *
 * @throws {TypeError} there is no such level or flag; or the application is bundled and refers to no value of `debug`
 */
export function debugItems(given: unknown): readonly RegisterableItems[] {
  if (given === undefined) return [];
  const [make] = debugMakers;
  if (make === undefined) throw new TypeError("run(app, options): options.debug needs debugLevels in this bundle.");
  return [make(given)];
}
