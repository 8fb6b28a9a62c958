/** `npx` passes a Ctrl-C on that the terminal has sent already: what comes this soon is the same one, in ms. */
const sameSignalMs = 500;

/** Aborted by SIGINT, SIGTERM, or a reader of the output that has gone. A second signal ends the process at once. */
export function stopSignal(onAsked: () => void = () => {}): AbortSignal {
  const stop = new AbortController();
  let askedAtMs = 0;
  const ask = (): void => {
    if (stop.signal.aborted) {
      if (performance.now() - askedAtMs > sameSignalMs) process.exit(1);
      return;
    }
    askedAtMs = performance.now();
    stop.abort();
    onAsked();
  };
  process.on("SIGINT", ask).on("SIGTERM", ask);
  process.stdout.on("error", () => {
    if (!stop.signal.aborted) ask();
  });
  return stop.signal;
}
