import { checkFields, type FieldRule } from "../../lib/configFields";
import { describeGiven } from "../../lib/describeValue";
import type { RunLogOptions, RunOptions } from "./options";

/**
 * Refuses options that would be ignored or misread. `debug` is checked by what it registers.
 *
 * @throws {TypeError} there is no such option, or it cannot have that value
 */
export function checkRunOptions(options: unknown): void {
  if (options === undefined) return;
  checkFields(options, "run(app, options)", optionRules());
  const { logs } = options as RunOptions;
  if (logs !== undefined) checkFields(logs, "run(app, options).logs", logRules());
}

const optionRules = (): Record<keyof RunOptions, FieldRule> => ({
  logs: anything,
  debug: anything,
  errorBoundary: flag,
  shutdownHooks: flag,
  shutdownTimeoutMs: {
    expected: "a number of milliseconds, 0 or more",
    fits: (value) => typeof value === "number" && value >= 0,
  },
  onUnhandledError: aFunction,
  observe: aFunction,
  dryRun: flag,
  runtimeEventCycleDetection: flag,
  mode: oneOf("dev", "test", "prod"),
  initMode: oneOf("sequential", "parallel"),
  unroutedPhantoms: oneOf("undefined", "throw"),
  signal: {
    expected: "an AbortSignal",
    fits: (value) => typeof (value as AbortSignal | null)?.throwIfAborted === "function",
  },
});

const logRules = (): Record<keyof RunLogOptions, FieldRule> => ({
  printThreshold: oneOf("trace", "debug", "info", "warn", "error", "critical", null),
  printStrategy: oneOf("pretty", "plain", "json", "json_pretty"),
  bufferLogs: flag,
});

/** Checked elsewhere. */
const anything: FieldRule = { expected: "", fits: () => true };

const aFunction: FieldRule = { expected: "a function", fits: (value) => typeof value === "function" };

const flag: FieldRule = { expected: "true or false", fits: (value) => typeof value === "boolean" };

const oneOf = (...values: readonly unknown[]): FieldRule => ({
  expected: `one of ${values.map(describeGiven).join(", ")}`,
  fits: (value) => values.includes(value),
});
