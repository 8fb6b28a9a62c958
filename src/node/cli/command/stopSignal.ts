import { ExitCode } from "../exitCodes";

/** `npx` passes a Ctrl-C on that the terminal has sent already: what comes this soon is the same one, in ms. */
const sameSignalMs = 500;

/** Why a command was stopped. */
export class Stopped extends DOMException {
  /** Of a command that was not done. A reader that has gone has seen enough. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("The command was stopped.", "AbortError");
    this.exitCode = exitCode;
  }
}

/**
 * Aborted by SIGINT, SIGTERM, or a reader of the output that has gone, with a `Stopped`. A second signal ends the process at once.
 */
export function stopSignal(onAsked: () => void = () => {}): AbortSignal {
  const stop = new AbortController();
  let askedAtMs = 0;
  const ask = (exitCode: number): void => {
    if (stop.signal.aborted) {
      if (performance.now() - askedAtMs > sameSignalMs) process.exit(1);
      return;
    }
    askedAtMs = performance.now();
    stop.abort(new Stopped(exitCode));
    onAsked();
  };
  process.on("SIGINT", () => ask(ExitCode.interrupted)).on("SIGTERM", () => ask(ExitCode.terminated));
  process.stdout.on("error", () => {
    if (!stop.signal.aborted) ask(ExitCode.ok);
  });
  return stop.signal;
}
