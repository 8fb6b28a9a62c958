/** What a run with `debug` logs, in the names of 5.x. Each flag stands for one line, or for the data of one. */
export interface DebugConfig {
  /** The config, on the line that says that a resource initialises. */
  readonly logResourceConfig: boolean;
  /** The value, on the line that says that a resource has initialised; the error, on the line that says that it failed. */
  readonly logResourceValue: boolean;
  readonly logResourceBeforeRun: boolean;
  readonly logResourceAfterRun: boolean;
  readonly logTaskBeforeRun: boolean;
  /** The input, on the line that says that a task runs. */
  readonly logTaskInput: boolean;
  /** The result, on the line that says that a task has completed; the error, on the line that says that it failed. */
  readonly logTaskOutput: boolean;
  readonly logTaskAfterRun: boolean;
  readonly logMiddlewareBeforeRun: boolean;
  readonly logMiddlewareAfterRun: boolean;
  readonly logEventEmissionOnRun: boolean;
  /** The payload, on the line that says that an event was emitted. */
  readonly logEventEmissionInput: boolean;
  readonly logHookTriggered: boolean;
  readonly logHookCompleted: boolean;
}

/** A level, or the flags that are on. */
export type DebugFriendlyConfig =
  "normal" | "verbose" | { readonly [Flag in keyof DebugConfig]?: DebugConfig[Flag] | undefined };
