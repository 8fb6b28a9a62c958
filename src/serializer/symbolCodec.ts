import type { TypeCodec } from "./codec";
import { invalidPayload, serializerError, unsupportedValue } from "./serializerError";
import { SymbolPolicy, symbolRefused } from "./symbolPolicy";

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

export function createSymbolCodec(policy: SymbolPolicy): TypeCodec {
  return {
    id: "Symbol",
    strategy: "value",
    serialize: (symbol: symbol) => writeSymbol(symbol),
    deserialize: (payload) => readSymbol(payload, policy),
  };
}

function writeSymbol(symbol: symbol): { kind: "For" | "WellKnown"; key: string } {
  const registered = Symbol.keyFor(symbol);
  if (registered !== undefined) return { kind: "For", key: registered };

  const wellKnown = wellKnownNames.find((name) => wellKnownSymbol(name) === symbol);
  if (wellKnown !== undefined) return { kind: "WellKnown", key: wellKnown };

  throw unsupportedValue(
    "Cannot serialize unique symbols; use Symbol.for(key) or a well-known symbol like Symbol.iterator",
  );
}

function readSymbol(payload: unknown, policy: SymbolPolicy): symbol {
  if (policy === SymbolPolicy.Disabled) throw symbolRefused("SymbolsNotAllowed");
  const { kind, key } = (payload ?? {}) as { kind?: unknown; key?: unknown };
  if (typeof key !== "string") throw invalidPayload("symbol");

  if (kind === "For") {
    if (policy === SymbolPolicy.WellKnownOnly) throw symbolRefused("GlobalSymbolsNotAllowed");
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
