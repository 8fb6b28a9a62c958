import { SymbolPolicy, readSymbolPolicy, type SymbolPolicyOption } from "./symbolPolicy";

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

/** Every limit has a finite default. */
export interface SerializerOptions {
  /** Indents by two spaces. Default `false`. */
  readonly pretty?: boolean | undefined;
  /**
   * Deepest nesting accepted in either direction, the root being 0; `Infinity` leaves only the engine's stack,
   * whose overflow is a `RangeError`. Default 1000, also for values that are not a number from 0 up.
   */
  readonly maxDepth?: number | undefined;
  /** Ids that may be decoded; encoding is not restricted. Default: every registered type. */
  readonly allowedTypes?: readonly string[] | undefined;
  /** Which symbols may be decoded. Default `SymbolPolicy.AllowAll`. */
  readonly symbolPolicy?: SymbolPolicyOption | undefined;
  /** Longest regular expression accepted when decoding, in UTF-16 units. Default 1024. */
  readonly maxRegExpPatternLength?: number | undefined;
  /** Accepts patterns that may take exponential time; the length limit stays. Default `false`. */
  readonly allowUnsafeRegExp?: boolean | undefined;
}

/** `SerializerOptions` with every default applied. */
export interface SerializerLimits {
  readonly pretty: boolean;
  readonly maxDepth: number;
  readonly allowedTypes: ReadonlySet<string> | undefined;
  readonly symbolPolicy: SymbolPolicy;
  readonly maxRegExpPatternLength: number;
  readonly allowUnsafeRegExp: boolean;
}

/** A type as the encoders and decoders see it, built-in or custom. */
export interface TypeCodec {
  readonly id: string;
  readonly strategy: "value" | "ref";
  /** The record stands for a primitive, so its payload is not a level of its own. */
  readonly scalar?: true;
  /** Added by `addType`: its payload may look like another value of the type. */
  readonly custom?: true;
  // Method syntax: a codec for one type is a codec.
  serialize(value: unknown): unknown;
  deserialize(payload: unknown): unknown;
  create?(): unknown;
}

/** A codec for objects of one built-in class. */
export interface ClassCodec extends TypeCodec {
  /** `undefined` where the runtime lacks the class; decoding then fails as for an unknown type. */
  readonly prototype: object | undefined;
  /** Recognises objects of other realms by internal slots, after their `Object.prototype.toString` tag fitted. */
  owns(value: object): boolean;
}

/** Codecs chosen by `typeof` and not by class. */
export interface PrimitiveCodecs {
  readonly undefined: TypeCodec;
  readonly nonFinite: TypeCodec;
  readonly bigint: TypeCodec;
  readonly symbol: TypeCodec;
}

/** @throws {SerializerError} the symbol policy is unknown */
export function resolveLimits(options: SerializerOptions): SerializerLimits {
  const { allowedTypes, symbolPolicy = SymbolPolicy.AllowAll } = options;
  return {
    pretty: options.pretty === true,
    maxDepth: readLimit(options.maxDepth, 0, 1000),
    allowedTypes: allowedTypes && new Set(allowedTypes),
    symbolPolicy: readSymbolPolicy(symbolPolicy),
    maxRegExpPatternLength: readLimit(options.maxRegExpPatternLength, 1, 1024),
    allowUnsafeRegExp: options.allowUnsafeRegExp === true,
  };
}

function readLimit(limit: unknown, least: number, fallback: number): number {
  if (typeof limit !== "number") return fallback;
  const whole = Math.floor(limit);
  return whole >= least ? whole : fallback;
}
