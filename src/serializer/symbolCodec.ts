import type { CodecRun, TypeCodec } from "./codec";
import { invalidPayload, serializerError, unsupportedValue } from "./serializerError";
import type { SymbolPolicy, SymbolPolicyErrorMessage } from "./symbolPolicy";

const wellKnownNames = [
  "asyncIterator",
  "hasInstance",
  "isConcatSpreadable",
  "iterator",
  "match",
  "matchAll",
  "observable",
  "replace",
  "search",
  "species",
  "split",
  "toPrimitive",
  "toStringTag",
  "unscopables",
] as const;

/** The process never forgets a symbol of `Symbol.for`: different keys that a serializer reads, and UTF-16 units of each. */
const maxForeignSymbols = 1000;
const maxSymbolKey = 1024;

export const symbolCodec: TypeCodec = {
  id: "Symbol",
  strategy: "value",
  serialize: writeSymbol,
  deserialize: readSymbol,
};

function writeSymbol(symbol: symbol): { kind: "For" | "WellKnown"; key: string } {
  const registered = Symbol.keyFor(symbol);
  if (registered !== undefined) return { kind: "For", key: registered };

  const wellKnown = wellKnownNames.find((name) => wellKnownSymbol(name) === symbol);
  if (wellKnown !== undefined) return { kind: "WellKnown", key: wellKnown };

  throw unsupportedValue(
    "Cannot serialize unique symbols; use Symbol.for(key) or a well-known symbol like Symbol.iterator",
    symbol,
  );
}

function readSymbol(payload: unknown, { limits, registry: { foreignSymbols } }: CodecRun): symbol {
  const { kind, key } = (payload ?? {}) as { kind?: unknown; key?: unknown };
  assertSymbolAllowed(limits.symbolPolicy, kind !== "For");
  if (typeof key !== "string") throw invalidPayload("symbol");

  if (kind === "For") {
    if (key.length > maxSymbolKey) throw refused(`Symbol key exceeds limit (${maxSymbolKey})`);
    if (foreignSymbols.size >= maxForeignSymbols && !foreignSymbols.has(key)) {
      throw refused(`Different symbols exceed limit (${maxForeignSymbols})`);
    }
    foreignSymbols.add(key);
    return Symbol.for(key);
  }
  if (kind !== "WellKnown" || !(wellKnownNames as readonly string[]).includes(key)) throw invalidPayload("symbol");
  const symbol = wellKnownSymbol(key);
  if (symbol === undefined) throw serializerError("INVALID_PAYLOAD", `Unsupported well-known symbol "${key}"`);
  return symbol;
}

/** Not every runtime has every name, `observable` above all. */
function wellKnownSymbol(name: string): symbol | undefined {
  const symbol: unknown = (Symbol as unknown as Record<string, unknown>)[name];
  return typeof symbol === "symbol" ? symbol : undefined;
}

/** @throws {SerializerError} the policy refuses the symbol */
function assertSymbolAllowed(policy: SymbolPolicy, isWellKnown: boolean): void {
  if (policy === "Disabled") throw refusedByPolicy("Symbols are not allowed");
  if (!isWellKnown && policy === "WellKnownOnly") throw refusedByPolicy("Global symbols are not allowed");
}

/** The messages are the ones that the entry exports, which calls have no use for. */
const refusedByPolicy = (message: SymbolPolicyErrorMessage): Error => refused(message);

const refused = (message: string): Error => serializerError("SYMBOL_REFUSED", message);
