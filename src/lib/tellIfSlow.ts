/** Awaits something; if that takes more than a moment, says so once. */
export async function tellIfSlow<T>(work: PromiseLike<T>, tell: () => unknown): Promise<T> {
  const timer = setTimeout(tell, momentMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** After this long a wait is worth a line in the log. */
const momentMs = 1_000;
