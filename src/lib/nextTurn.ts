type Schedule = (callback: () => void) => unknown;

/** Calls back once the event loop has turned: what has arrived over connections by then is dealt with first. */
export function onNextTurn(callback: () => void): void {
  // Looked up at each call: fake timers of tests come and go. Platforms that lack it have timers of 0 ms.
  const { setImmediate } = globalThis as { readonly setImmediate?: Schedule };
  if (setImmediate !== undefined) setImmediate(callback);
  else setTimeout(callback, 0);
}

/** Resolves once the event loop has turned. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => onNextTurn(resolve));
