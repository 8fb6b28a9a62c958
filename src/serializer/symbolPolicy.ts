import { serializerError } from "./serializerError";

/** Which symbols may be decoded. */
export const SymbolPolicy = {
  AllowAll: "AllowAll",
  /** `Symbol.iterator` and its like; `Symbol.for(...)` adds to a registry that is never emptied. */
  WellKnownOnly: "WellKnownOnly",
  Disabled: "Disabled",
} as const;
export type SymbolPolicy = (typeof SymbolPolicy)[keyof typeof SymbolPolicy];

/** A policy in the spelling of 5.2 or of 5.5. */
export type SymbolPolicyOption = SymbolPolicy | "allow-all" | "well-known-only" | "disabled";

/** What is said to a symbol the policy refuses. */
export const SymbolPolicyErrorMessage = {
  GlobalSymbolsNotAllowed: "Global symbols are not allowed",
  SymbolsNotAllowed: "Symbols are not allowed",
  UnsupportedSymbolPolicy: "Unsupported symbol policy",
} as const;
export type SymbolPolicyErrorMessage = (typeof SymbolPolicyErrorMessage)[keyof typeof SymbolPolicyErrorMessage];

/** @throws {SerializerError} neither spelling knows the policy */
export function readSymbolPolicy(policy: SymbolPolicyOption): SymbolPolicy {
  switch (policy) {
    case "AllowAll":
    case "allow-all":
      return SymbolPolicy.AllowAll;
    case "WellKnownOnly":
    case "well-known-only":
      return SymbolPolicy.WellKnownOnly;
    case "Disabled":
    case "disabled":
      return SymbolPolicy.Disabled;
    default:
      throw serializerError("SYMBOL_REFUSED", SymbolPolicyErrorMessage.UnsupportedSymbolPolicy);
  }
}
