import { describeGiven } from "../../lib/describeValue";
import type { IValidationSchema } from "../../lib/schema";

/** What a field of a config has to be, and whether a value is that. */
export interface FieldCheck {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

/**
 * A schema that checks the fields of a config which are given, and passes the config itself on: middleware that counts
 * keeps its state by the identity of the config. Other fields are left alone, as 5.x did.
 */
export function schemaOf<C extends object>(fields: Readonly<Record<string, FieldCheck>>): IValidationSchema<C> {
  return {
    parse(config: C): C {
      if (typeof config !== "object" || config === null) {
        throw new TypeError(`The config must be an object, got ${describeGiven(config)}.`);
      }
      for (const [field, { expected, holds }] of Object.entries(fields)) {
        const value = (config as Record<string, unknown>)[field];
        if (value !== undefined && !holds(value)) {
          throw new TypeError(`${field} must be ${expected}, got ${describeGiven(value)}.`);
        }
      }
      return config;
    },
  };
}

/** Checks of fields, by what they have to be. */
export const field = {
  milliseconds: { expected: "a number of milliseconds", holds: isNumber },
  /** 0 or more. */
  count: { expected: "a whole number, 0 or more", holds: (value) => isCount(value, 0) },
  /** 1 or more. */
  positiveCount: { expected: "a whole number, 1 or more", holds: (value) => isCount(value, 1) },
  function: { expected: "a function", holds: (value) => typeof value === "function" },
  boolean: { expected: "true or false", holds: (value) => typeof value === "boolean" },
  text: { expected: "a text", holds: (value) => typeof value === "string" },
} as const satisfies Record<string, FieldCheck>;

function isNumber(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(value);
}

/** `Infinity` counts: without limit. */
function isCount(value: unknown, least: number): boolean {
  return value === Infinity || (Number.isInteger(value) && (value as number) >= least);
}
