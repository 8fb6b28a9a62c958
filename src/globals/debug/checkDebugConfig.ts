import { checkFields, type FieldRule } from "../../lib/configFields";
import { describeGiven } from "../../lib/describeValue";
import { isPlainObject } from "../../lib/guards";
import type { DebugFriendlyConfig } from "../../runtime/run/debugConfig";
import { allFalse } from "./levels";

/**
 * Refuses what would be ignored or misread.
 *
 * @param name what the config is called in the message
 * @throws {TypeError} it is no level and no object, there is no such flag, or a flag is neither true nor false
 */
export function checkDebugConfig(given: unknown, name: string): DebugFriendlyConfig {
  if (given === "normal" || given === "verbose") return given;
  if (!isPlainObject(given)) {
    throw new TypeError(`${name} must be "normal", "verbose" or an object of flags, got ${describeGiven(given)}.`);
  }
  checkFields(given, name, Object.fromEntries(Object.keys(allFalse).map((flag) => [flag, isFlag])));
  return given;
}

const isFlag: FieldRule = { expected: "true or false", fits: (value) => typeof value === "boolean" };
