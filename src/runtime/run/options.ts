import { detectEnvironment } from "../../lib/detectEnvironment";
import { getPlatform } from "../../platform/platform";
import type { DebugFriendlyConfig } from "./debugConfig";
import type { RunObserver } from "../tracing";
import type { OnUnhandledError } from "./unhandledErrors";

/** What kind of process a run takes itself to be in; informational. */
export const RunnerMode = /* @__PURE__ */ Object.freeze({ TEST: "test", DEV: "dev", PROD: "prod" } as const);
export type RunnerMode = (typeof RunnerMode)[keyof typeof RunnerMode];
/** Its members as types, as those of an enum: `RunnerMode.PROD`. */
// eslint-disable-next-line @typescript-eslint/no-namespace -- nothing else gives a constant types as members
export declare namespace RunnerMode {
  type TEST = typeof RunnerMode.TEST;
  type DEV = typeof RunnerMode.DEV;
  type PROD = typeof RunnerMode.PROD;
}

export type LogLevelName = "trace" | "debug" | "info" | "warn" | "error" | "critical";

/** What a run logs, and how. */
export interface RunLogOptions {
  /** Lowest level that is printed; `null` prints nothing. Default "info", under `NODE_ENV=test` `null`. */
  readonly printThreshold?: LogLevelName | null | undefined;
  /** Default "pretty". */
  readonly printStrategy?: "pretty" | "plain" | "json" | "json_pretty" | undefined;
  /** Hold logs back until the boot is done. Default false. */
  readonly bufferLogs?: boolean | undefined;
}

/** How an application is run. All optional. */
export interface RunOptions {
  readonly logs?: RunLogOptions | undefined;
  /** Log what happens, at the level "info": "normal" without data, "verbose" with it, or some flags. Default: off. */
  readonly debug?: DebugFriendlyConfig | undefined;
  /** Handle uncaught exceptions and unhandled rejections of the process. Default true. */
  readonly errorBoundary?: boolean | undefined;
  /** Dispose of the run on SIGINT and SIGTERM, then exit. Default true. */
  readonly shutdownHooks?: boolean | undefined;
  /**
   * How long ending may take once it was asked for by a signal or by an aborted or failed boot, in ms, after the longest
   * drain. What has not settled then is named in the log, and a process that was sent a signal exits with 1.
   * Default 30,000.
   */
  readonly shutdownTimeoutMs?: number | undefined;
  /** Receives unhandled errors. Default: the logger. */
  readonly onUnhandledError?: OnUnhandledError | undefined;
  /** Check everything, initialise nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Refuse emissions that come round to themselves. Default true. */
  readonly runtimeEventCycleDetection?: boolean | undefined;
  /** Default: from `NODE_ENV`. */
  readonly mode?: RunnerMode | undefined;
  /** "parallel" starts each resource once everything it needs is there. Default "sequential". */
  readonly initMode?: "sequential" | "parallel" | undefined;
  /** What calling a phantom task does that no tunnel routes: resolve with `undefined`, or fail. Default "undefined". */
  readonly unroutedPhantoms?: "undefined" | "throw" | undefined;
  /**
   * Receives what is published on the tracing channels, of this run alone: on every platform, the channels or not.
   * In a bundle, make it with `observer`.
   */
  readonly observe?: RunObserver | undefined;
  /** Aborts the boot: what was initialised is disposed of, and the run rejects with a `CancellationError`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options without gaps. */
export interface ResolvedRunOptions {
  readonly logs: {
    readonly [K in keyof RunLogOptions]-?: NonNullable<RunLogOptions[K]> | (K extends "printThreshold" ? null : never);
  };
  readonly errorBoundary: boolean;
  readonly shutdownHooks: boolean;
  readonly shutdownTimeoutMs: number;
  readonly onUnhandledError: OnUnhandledError | undefined;
  readonly dryRun: boolean;
  readonly runtimeEventCycleDetection: boolean;
  readonly mode: RunnerMode;
  readonly initMode: "sequential" | "parallel";
  readonly unroutedPhantoms: "undefined" | "throw";
  readonly signal: AbortSignal | undefined;
}

export function resolveRunOptions(options: RunOptions = {}): ResolvedRunOptions {
  const { logs = {} } = options;
  const environment = detectMode();
  return Object.freeze({
    logs: Object.freeze({
      printThreshold:
        logs.printThreshold === undefined ? (environment === "test" ? null : "info") : logs.printThreshold,
      printStrategy: logs.printStrategy ?? "pretty",
      bufferLogs: logs.bufferLogs ?? false,
    }),
    errorBoundary: options.errorBoundary ?? true,
    shutdownHooks: options.shutdownHooks ?? true,
    shutdownTimeoutMs: options.shutdownTimeoutMs ?? 30_000,
    onUnhandledError: options.onUnhandledError,
    dryRun: options.dryRun ?? false,
    runtimeEventCycleDetection: options.runtimeEventCycleDetection ?? true,
    mode: options.mode ?? environment,
    initMode: options.initMode ?? "sequential",
    unroutedPhantoms: options.unroutedPhantoms ?? "undefined",
    signal: options.signal,
  });
}

function detectMode(): RunnerMode {
  // Browsers have no NODE_ENV at run time, and asking costs nothing elsewhere.
  const environment = detectEnvironment() === "browser" ? undefined : getPlatform().getEnv("NODE_ENV");
  if (environment === "test") return RunnerMode.TEST;
  return environment === "production" ? RunnerMode.PROD : RunnerMode.DEV;
}
