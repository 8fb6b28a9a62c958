/** Why a command failed: its exit code, and a line. */
export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  /** Of an error that a task declares. */
  readonly id?: string | undefined;
  readonly data?: unknown;
}
