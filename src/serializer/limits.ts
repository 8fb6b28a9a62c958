import { treeTooLarge } from "./serializerError";
import type { SymbolPolicy } from "./symbolPolicy";

/** `SerializerOptions` with every default applied. */
export interface SerializerLimits {
  readonly pretty: boolean;
  readonly maxDepth: number;
  /** Absent: the default of the direction. */
  readonly maxValues?: number | undefined;
  readonly maxChars?: number | undefined;
  readonly allowedTypes?: ReadonlySet<string> | undefined;
  readonly symbolPolicy: SymbolPolicy;
  readonly maxRegExpPatternLength: number;
  readonly allowUnsafeRegExp: boolean;
  readonly omitErrorStacks: boolean;
}

export const defaultLimits: SerializerLimits = {
  pretty: false,
  maxDepth: 1000,
  symbolPolicy: "AllowAll",
  maxRegExpPatternLength: 1024,
  allowUnsafeRegExp: false,
  omitErrorStacks: false,
};

/**
 * Counts what is encoded or decoded, as a tree would have it, and stops it at the limits. A short text can share
 * structure so that a walk over the value, or its tree, has billions of values.
 */
export class Tally {
  /** Items and properties; the value itself is the first. */
  values = 1;
  /** UTF-16 units of texts and property names. */
  chars = 0;

  constructor(
    readonly verb: "serialize" | "deserialize",
    readonly maxValues: number,
    readonly maxChars = Infinity,
  ) {}

  /** @throws {SerializerError} one of the limits is passed */
  add(values: number, chars: number): void {
    this.values += values;
    this.chars += chars;
    if (this.values > this.maxValues) throw treeTooLarge(this.verb, `${this.maxValues} values`);
    if (this.chars > this.maxChars) throw treeTooLarge(this.verb, `${this.maxChars} characters`);
  }
}
