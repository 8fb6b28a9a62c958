import { describeGiven } from "../../lib/describeValue";
import { isPlainObject } from "../../lib/guards";
import { nearestName } from "../../lib/nearestName";
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
  for (const [flag, value] of Object.entries(given)) {
    if (!Object.hasOwn(allFalse, flag)) {
      const known = Object.keys(allFalse);
      const meant = nearestName(flag, known);
      const hint = meant === undefined ? `there are ${known.join(", ")}.` : `did you mean "${meant}"?`;
      throw new TypeError(`${name} has no flag "${flag}"; ${hint}`);
    }
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`${name}.${flag} must be true or false, got ${describeGiven(value)}.`);
    }
  }
  return given;
}
