const tickMs = 10;
/** A gap between two ticks that counts, in ms. */
const stallMs = 100;
/** For how long a stall explains what a caller sees, in ms. */
const lastingMs = 1_000;

/**
 * Notes when this process stands still, as on a busy machine: a reply is then seen late, and what looks like a short pause to
 * its caller is a long one to the server.
 */
export function watchStalls(): Disposable & { readonly stoodStill: boolean } {
  let tickedAtMs = performance.now();
  let stalledAtMs = -Infinity;
  const note = (): void => {
    const now = performance.now();
    if (now - tickedAtMs > stallMs) stalledAtMs = now;
    tickedAtMs = now;
  };
  const timer = setInterval(note, tickMs);
  return {
    get stoodStill() {
      note();
      return performance.now() - stalledAtMs < lastingMs;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
