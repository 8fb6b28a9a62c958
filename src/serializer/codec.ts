import type { SerializerLimits, Tally } from "./limits";
import type { SymbolPolicyOption } from "./symbolPolicy";

/**
 * How values of one custom type cross the wire.
 *
 * `I` is the live value, `S` what is written for it; `S` may itself hold anything the serializer supports.
 */
// `any` by default: a list of definitions holds types that have nothing in common.
export interface TypeDefinition<I = any, S = any> {
  /** Name on the wire; both peers register the same one. */
  readonly id: string;
  /** Sees every object that is neither an array nor of a built-in type; one that throws counts as `false`. */
  is(value: unknown): value is I;
  serialize(value: I): S;
  deserialize(payload: S): I;
  /** An empty instance for references that point back at it while its payload is still being decoded. */
  create?(): I;
  /** Graph format only: `"ref"` keeps identity, `"value"` writes a copy wherever it occurs. Default `"ref"`. */
  readonly strategy?: "value" | "ref" | undefined;
}

/** What every client and server needs of a serializer. */
export interface SerializerLike {
  stringify(value: unknown): string;
  parse<T = unknown>(text: string): T;
  // `any`: declared as loosely as possible, so that serializers with either `addType` form fit.
  addType?(...definition: any[]): void;
}

/** Limits and habits of a serializer; what is left out keeps its default. */
export interface SerializerOptions {
  /** Indents by two spaces. Default `false`. */
  readonly pretty?: boolean | undefined;
  /**
   * Deepest nesting accepted in either direction, the root being 0; `Infinity` leaves only the engine's stack,
   * whose overflow is a `RangeError`. Default 1000, also for values that are not a number from 0 up.
   */
  readonly maxDepth?: number | undefined;
  /**
   * Most values in either direction: items and properties, shared ones counted wherever they occur. Default: 10,000,000
   * when encoding and no limit when decoding; 1,000,000 for calls between processes. `Infinity` switches it off there, too.
   */
  readonly maxValues?: number | undefined;
  /**
   * Most UTF-16 units of texts and property names in either direction, shared ones counted wherever they occur; a byte
   * counts as 4. Default: no limit; for calls between processes, 16 times the largest JSON body of an exposure, and the
   * largest reply of a client. `Infinity` switches it off there, too.
   */
  readonly maxChars?: number | undefined;
  /** Ids that may be decoded; encoding is not restricted. Default: every registered type. */
  readonly allowedTypes?: readonly string[] | undefined;
  /** Which symbols may be decoded. Default `SymbolPolicy.AllowAll`. */
  readonly symbolPolicy?: SymbolPolicyOption | undefined;
  /** Longest regular expression accepted when decoding, in UTF-16 units. Default 1024. */
  readonly maxRegExpPatternLength?: number | undefined;
  /** Accepts patterns that may take exponential time; the length limit stays. Default `false`. */
  readonly allowUnsafeRegExp?: boolean | undefined;
  /** Writes errors without their `stack`, as exposures do in any case. Default `false`. */
  readonly omitErrorStacks?: boolean | undefined;
}

/** What a codec may ask of the encoder or decoder that uses it. */
export interface CodecRun {
  readonly limits: SerializerLimits;
  /** Codecs add what they take beyond the texts they give or are given. */
  readonly tally: Tally;
  readonly registry: {
    /** Keys of `Symbol.for` that were read; the process keeps such symbols for ever. */
    readonly foreignSymbols: Set<string>;
  };
}

/** A type as the encoders and decoders see it, built-in or custom. */
export interface TypeCodec {
  readonly id: string;
  readonly strategy: "value" | "ref";
  /** The payload is plain JSON: nothing in it has to be encoded or decoded in turn. */
  readonly flat?: true;
  /** The record stands for a primitive, so its payload is not a level of its own. */
  readonly scalar?: true;
  /** Added by `addType`: its payload may look like another value of the type. */
  readonly custom?: true;
  // Method syntax: a codec for one type is a codec.
  serialize(value: unknown, run: CodecRun): unknown;
  deserialize(payload: unknown, run: CodecRun): unknown;
  create?(): unknown;
}

/** A codec for objects of one built-in class. */
export interface ClassCodec extends TypeCodec {
  /** `undefined` where the runtime lacks the class; decoding then fails as for an unknown type. */
  readonly prototype: object | undefined;
  /** Recognises objects of other realms by internal slots, after their `Object.prototype.toString` tag fitted. */
  owns(value: object): boolean;
}
