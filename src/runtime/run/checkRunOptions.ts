import { describeGiven } from "../../lib/describeValue";
import { nearestName } from "../../lib/nearestName";
import type { RunLogOptions, RunOptions } from "./options";

/** What an option may be, in words and as a check. */
interface Rule {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/**
 * Refuses options that would be ignored or misread. `debug` is checked by what it registers.
 *
 * @throws {TypeError} there is no such option, or it cannot have that value
 */
export function checkRunOptions(options: unknown): void {
  if (options === undefined) return;
  check(options, "options", optionRules());
  const { logs } = options as RunOptions;
  if (logs !== undefined) check(logs, "options.logs", logRules());
}

const optionRules = (): Record<keyof RunOptions, Rule> => ({
  logs: { expected: "an object", fits: isObject },
  debug: { expected: "", fits: () => true },
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
  signal: { expected: "an AbortSignal", fits: (value) => isObject(value) && "addEventListener" in value },
});

const logRules = (): Record<keyof RunLogOptions, Rule> => ({
  printThreshold: oneOf("trace", "debug", "info", "warn", "error", "critical", null),
  printStrategy: oneOf("pretty", "plain", "json", "json_pretty"),
  bufferLogs: flag,
});

function check(given: unknown, name: string, rules: Readonly<Record<string, Rule>>): void {
  if (!isObject(given) || Array.isArray(given))
    throw new TypeError(`run(app, options): ${name} must be an object, got ${describeGiven(given)}.`);
  for (const [key, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) {
      const known = Object.keys(rules);
      const meant = nearestName(key, known);
      const hint = meant === undefined ? `there are ${known.join(", ")}.` : `did you mean "${meant}"?`;
      throw new TypeError(`run(app, options): there is no ${name}.${key}; ${hint}`);
    }
    if (value !== undefined && !rule.fits(value)) {
      throw new TypeError(`run(app, options): ${name}.${key} must be ${rule.expected}, got ${describeGiven(value)}.`);
    }
  }
}

const aFunction: Rule = { expected: "a function", fits: (value) => typeof value === "function" };

const flag: Rule = { expected: "true or false", fits: (value) => typeof value === "boolean" };

const oneOf = (...values: readonly unknown[]): Rule => ({
  expected: `one of ${values.map(describeGiven).join(", ")}`,
  fits: (value) => values.includes(value),
});

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
