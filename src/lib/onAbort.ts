/**
 * Calls back once when a signal aborts: at once if it has, since it emits no further event.
 *
 * @returns stops listening
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal?.aborted === true) callback();
  else signal?.addEventListener("abort", callback, { once: true });
  return () => signal?.removeEventListener("abort", callback);
}
