/**
 * Lets any number of calls listen to one signal: Node takes more than ten listeners for a leak, and says so.
 *
 * Looked up as `findStorageClass` does it, so that bundlers for browsers do not see it.
 */
export function allowManyListeners(signal: AbortSignal): void {
  const events = globalThis.process?.getBuiltinModule?.("node:events") as
    { setMaxListeners?(count: number, target: AbortSignal): void } | undefined;
  events?.setMaxListeners?.(0, signal);
}
