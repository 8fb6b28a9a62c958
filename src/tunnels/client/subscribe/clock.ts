/** Time and chance, as reconnecting uses them. */
export interface Clock {
  /** Resolves after so many ms, or at once when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** At least 0 and less than 1. */
  random(): number;
}

export const realClock: Clock = {
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const stop = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    }),
  random: () => Math.random(),
};

/** Longest wait of the first try, and of all later ones, in ms: it doubles between them. */
const firstMs = 500;
const longestMs = 30_000;
/** What a server may ask for at most, in ms. */
const longestAskedMs = 3_600_000;

/**
 * How long to wait before a connection is tried once more: any time up to a limit, so that the clients of a server that has
 * failed do not come back all at once.
 *
 * @param failures tries that failed since the last connection that began
 * @param askedMs what the server asks for, which is waited for beside that
 */
export function retryDelayMs(failures: number, askedMs: number | undefined, clock: Clock): number {
  const jitter = clock.random() * Math.min(longestMs, firstMs * 2 ** Math.min(failures, 16));
  return jitter + Math.min(askedMs ?? 0, longestAskedMs);
}

/** `Retry-After` in ms: whole seconds, or a date (RFC 9110 §10.2.3). */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}
