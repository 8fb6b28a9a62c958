/** Exit codes of `runner`, the same for every command. */
export const ExitCode = Object.freeze({
  ok: 0,
  failed: 1,
  /** The command cannot be carried out as given. */
  usage: 2,
  /** By credentials or policy. */
  refused: 3,
  notFound: 4,
  unreachable: 5,
  /** By SIGINT, before it was done: 128 and the number of the signal, as shells have it. */
  interrupted: 130,
  /** By SIGTERM. */
  terminated: 143,
} as const);
