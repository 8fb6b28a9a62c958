import { createBinaryCodecs } from "./binaryCodecs";
import type { ClassCodec, CodecRun, TypeCodec } from "./codec";
import { dateText } from "./dateText";
import { errorCodec } from "./errorCodec";
import { isUnsafeRegExp } from "./regexpGuard";
import { invalidPayload, invalidUrl, serializerError } from "./serializerError";
import { symbolCodec } from "./symbolCodec";
import { watchCollisions } from "./watchCollisions";

/** The types every serializer knows; ids are API. */
export function createBuiltinCodecs(): {
  readonly classes: readonly ClassCodec[];
  /** By what `typeof` says of their values. */
  readonly primitives: Readonly<Record<string, TypeCodec>>;
} {
  return {
    primitives: { undefined: undefinedCodec, number: nonFiniteCodec, bigint: bigintCodec, symbol: symbolCodec },
    classes: [
      createDateCodec(),
      createRegExpCodec(),
      createMapCodec(),
      createSetCodec(),
      errorCodec(),
      createUrlCodec(),
      createUrlSearchParamsCodec(),
      ...createBinaryCodecs(),
    ],
  };
}

const undefinedCodec: TypeCodec = {
  id: "Undefined",
  strategy: "value",
  flat: true,
  scalar: true,
  serialize: () => null,
  deserialize: () => undefined,
};

const nonFiniteCodec: TypeCodec = {
  id: "NonFiniteNumber",
  strategy: "value",
  flat: true,
  scalar: true,
  serialize: (value: number) => String(value),
  deserialize(payload) {
    if (payload === "NaN") return NaN;
    if (payload === "Infinity") return Infinity;
    if (payload === "-Infinity") return -Infinity;
    throw invalidPayload("non-finite number");
  },
};

const bigintCodec: TypeCodec = {
  id: "BigInt",
  strategy: "value",
  flat: true,
  scalar: true,
  serialize(value: bigint, run) {
    // The hexadecimal digits are had in linear time; there are 1.2 decimal ones for each.
    if (BigInt.asIntN(64, value) !== value) countDigits(value.toString(16).length * 1.2, run);
    return value.toString();
  },
  deserialize(payload, run) {
    const digits = typeof payload === "string" ? payload.trim() : "";
    if (!/^[+-]?\d+$/.test(digits)) throw invalidPayload("bigint");
    countDigits(digits.length, run);
    return BigInt(digits);
  },
};

/** Conversion between bits and decimal digits is no linear work: long numbers count for more than their text. */
const countDigits = (digits: number, { tally }: CodecRun): void => tally.add(0, digits ** 2 / 1024);

/** Engines take long for dates in other forms than the standard's, so a date counts for more than its text. */
const charsPerDate = 64;

const createDateCodec = (): ClassCodec => ({
  id: "Date",
  strategy: "value",
  flat: true,
  prototype: Date.prototype,
  owns: hasNativeTag,
  serialize(value: Date, { tally }) {
    tally.add(0, charsPerDate);
    return dateText(value);
  },
  deserialize(payload, { tally }) {
    if (typeof payload !== "string" && typeof payload !== "number") throw invalidPayload("Date");
    tally.add(0, charsPerDate);
    return new Date(payload);
  },
});

const createMapCodec = (): ClassCodec => ({
  id: "Map",
  strategy: "ref",
  prototype: Map.prototype,
  owns: (value) => accepts(() => Map.prototype.has.call(value, 0)),
  serialize(value: Map<unknown, unknown>) {
    const entries: unknown[] = [];
    // Several times faster than spreading or `Array.from`; the call ignores what a subclass makes of iteration.
    for (const entry of Map.prototype.entries.call(value)) entries.push(entry);
    return entries;
  },
  deserialize(payload) {
    if (!Array.isArray(payload) || !payload.every(isPair)) throw invalidPayload("Map");
    const watch = watchCollisions("Map", payload.length);
    const map = new Map<unknown, unknown>();
    for (const [key, value] of payload) {
      const { size } = map;
      if (map.set(key, value).size > size) watch(key);
    }
    return map;
  },
  create: () => new Map(),
});

const createSetCodec = (): ClassCodec => ({
  id: "Set",
  strategy: "ref",
  prototype: Set.prototype,
  owns: (value) => accepts(() => Set.prototype.has.call(value, 0)),
  serialize: (value: Set<unknown>) => [...Set.prototype.values.call(value)],
  deserialize(payload) {
    if (!Array.isArray(payload)) throw invalidPayload("Set");
    const watch = watchCollisions("Set", payload.length);
    const set = new Set<unknown>();
    for (const item of payload as unknown[]) {
      const { size } = set;
      if (set.add(item).size > size) watch(item);
    }
    return set;
  },
  create: () => new Set(),
});

const createRegExpCodec = (): ClassCodec => ({
  id: "RegExp",
  strategy: "value",
  prototype: RegExp.prototype,
  owns: hasNativeTag,
  serialize: ({ source, flags }: RegExp) => ({ pattern: source, flags }),
  deserialize(payload, { limits, tally }) {
    const { pattern, flags } = (payload ?? {}) as { pattern?: unknown; flags?: unknown };
    if (typeof pattern !== "string" || typeof flags !== "string") throw invalidPayload("RegExp");
    const { maxRegExpPatternLength, allowUnsafeRegExp } = limits;
    if (pattern.length > maxRegExpPatternLength) {
      throw serializerError("INVALID_PAYLOAD", `RegExp pattern exceeds limit (${maxRegExpPatternLength})`);
    }
    if (!/^(?:([dgimsuvy])(?!.*\1))*$/.test(flags)) throw serializerError("INVALID_PAYLOAD", "Invalid RegExp flags");
    // As an address: parsing it takes longer than reading it.
    tally.add(0, pattern.length * 16);
    const expression = compile(pattern, flags);
    if (!allowUnsafeRegExp && isUnsafeRegExp(expression, tally)) {
      throw serializerError("INVALID_PAYLOAD", "Unsafe RegExp pattern");
    }
    return expression;
  },
});

function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    throw invalidPayload("RegExp");
  }
}

const createUrlCodec = (): ClassCodec => ({
  id: "URL",
  strategy: "value",
  flat: true,
  prototype: globalThis.URL?.prototype,
  owns: (value) => typeof (value as Partial<URL>).href === "string",
  serialize: ({ href }: URL, run) => chargeText(href, run),
  deserialize(payload, run) {
    if (typeof payload !== "string") throw invalidPayload("URL");
    chargeText(payload, run);
    try {
      return new URL(payload);
    } catch {
      throw invalidUrl();
    }
  },
});

const createUrlSearchParamsCodec = (): ClassCodec => ({
  id: "URLSearchParams",
  strategy: "value",
  flat: true,
  prototype: globalThis.URLSearchParams?.prototype,
  owns: (value) => typeof (value as Partial<URLSearchParams>).getAll === "function",
  serialize: (value: URLSearchParams, run) => chargeText(value.toString(), run),
  deserialize(payload, run) {
    if (typeof payload !== "string") throw invalidPayload("URLSearchParams");
    return new URLSearchParams(chargeText(payload, run));
  },
});

/** Parsing an address takes longer than reading it as a text, so it counts for more. */
function chargeText(text: string, { tally }: CodecRun): string {
  tally.add(0, text.length * 8);
  return text;
}

/** The engine's own tag, which no `Symbol.toStringTag` stands in for. */
function hasNativeTag(value: object): boolean {
  return !(Symbol.toStringTag in value);
}

function accepts(probe: () => unknown): boolean {
  try {
    probe();
    return true;
  } catch {
    return false;
  }
}

const isPair = (entry: unknown): entry is [unknown, unknown] => Array.isArray(entry) && entry.length === 2;
