import type { RegisterableItems } from "../define/resource";
import type { RunObserver, RunTracing } from "../runtime/tracing";

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
  if (make === undefined) throw new TypeError("run(app, options).debug needs debugLevels in this bundle.");
  return [make(given)];
}

type MakeTracing = (observe: RunObserver | undefined) => RunTracing;
const tracingMakers: MakeTracing[] = [];

/** Has what publishes calls come with what refers to it, as `alsoBuiltin` does. */
export function provideTracing(make: MakeTracing): void {
  tracingMakers[0] = make;
}

/**
 * What publishes the calls of a run.
 *
 * @throws {TypeError} there is an observer, and the application is bundled and does not refer to `observer`
 */
export function tracingOf(observe: RunObserver | undefined): RunTracing | undefined {
  const [make] = tracingMakers;
  if (make !== undefined) return make(observe);
  if (observe !== undefined) throw new TypeError("run(app, options).observe needs observer() in this bundle.");
  return undefined;
}
