/** The arguments of a command make no sense; its message is printed, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to run to read more. */
  readonly help: string;

  constructor(message: string, help = "runner --help lists the commands and their options.") {
    super(message);
    this.help = help;
  }
}
