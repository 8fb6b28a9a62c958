/** The arguments of a command make no sense; its message is printed, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
