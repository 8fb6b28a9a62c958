import { describeGiven } from "./describeValue";
import { nearestName } from "./nearestName";
import { longestTimerMs } from "./timers";

/** Configs come from files and environments, so their types are promises at best: each field is checked. */

/** The fields of an object. @throws {TypeError} it is none, or has a key that does not exist */
export function fieldsOf<T extends object>(
  value: unknown,
  path: string,
  known: readonly (keyof T & string)[],
): { readonly [K in keyof T]?: unknown } {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, "an object", value);
  for (const key of Object.keys(value)) {
    if (!(known as readonly string[]).includes(key)) throw unknownField(key, path, known);
  }
  return value;
}

/** What a field may be, in words and as a check. */
export interface FieldRule {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/** Checks an object by a rule for each of its fields. @throws {TypeError} as `fieldsOf`; or a field is not what it may be */
export function checkFields(given: unknown, path: string, rules: Readonly<Record<string, FieldRule>>): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${path} must be an object, got ${describeGiven(given)}.`);
  }
  for (const [key, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) throw unknownField(key, path, Object.keys(rules));
    if (value !== undefined && !rule.fits(value)) {
      throw new TypeError(`${path}.${key} must be ${rule.expected}, got ${describeGiven(value)}.`);
    }
  }
}

function unknownField(key: string, path: string, known: readonly string[]): TypeError {
  const nearest = nearestName(key, known);
  const hint = nearest === undefined ? `Known are ${known.join(", ")}.` : `Did you mean ${path}.${nearest}?`;
  return new TypeError(`${path}.${key} is not known. ${hint}`);
}

/** A switch, off when it is left out. */
export function flag(value: unknown, path: string): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw invalid(path, "a boolean", value);
}

/** A number of bytes, milliseconds or things. */
export function amount(value: unknown, path: string, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value >= 0) return value;
  throw invalid(path, "a number of at least 0", value);
}

/** A number of milliseconds, or of what else Node takes no infinity for; there, the longest delay of a timer is one. */
export const milliseconds = (value: unknown, path: string, fallback: number): number =>
  Math.floor(Math.min(amount(value, path, fallback), longestTimerMs));

export const invalid = (path: string, expected: string, actual: unknown): TypeError =>
  new TypeError(`${path} must be ${expected}, got ${describe(actual)}.`);

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null ? (Array.isArray(value) ? "a list" : "an object") : String(value);
}
