/** The part of a logger that a run writes to; the real one is a framework resource. */
export interface Logger {
  debug(message: string, info?: Record<string, unknown>): Promise<void>;
  info(message: string, info?: Record<string, unknown>): Promise<void>;
  warn(message: string, info?: Record<string, unknown>): Promise<void>;
  error(message: string, info?: Record<string, unknown>): Promise<void>;
  /** Ends buffering. */
  lock(): Promise<void>;
}
