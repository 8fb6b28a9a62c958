import { contextSelectionForm, isContextSelection, type ContextSelection } from "../../routing/contextSelection";
import type { ContractDetail } from "../../server/discoverContract";
import type { CorsConfig } from "../cors";
import { canonicalPath } from "../router";
import { fieldsOf, flag, invalid } from "../../../lib/configFields";
import { isOrigin } from "./origin";

/**
 * Starts with a slash and, unless it is "/", does not end with one. Default "/__runner".
 *
 * @throws {TypeError} no request could have such a path
 */
export function resolveBasePath(basePath: unknown = "/__runner"): string {
  if (typeof basePath !== "string") throw invalid("http.basePath", "a string", basePath);
  const path = `/${basePath.replace(/^\/+|\/+$/g, "")}`;
  const flaw = flawOf(path);
  const canonical = canonicalPath(path);
  if (flaw === undefined && canonical !== undefined) return canonical;
  const reason = flaw ?? "percent-encoding that cannot be decoded";
  throw invalid("http.basePath", `a path that requests can have, without ${reason}`, basePath);
}

/** What clients change in a path, or refuse to send, so that no request would ever arrive. */
function flawOf(path: string): string | undefined {
  if (/[?#]/.test(path)) return "query and fragment";
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\s\\\u0000-\u001f\u007f]/.test(path)) return "spaces, backslashes and control characters";
  if (path.includes("//")) return "doubled slashes";
  if (/\/(\.|%2e){1,2}(\/|$)/i.test(path)) return 'the segments "." and ".."';
  return undefined;
}

/** Which async contexts callers may set. Default "all". @throws {TypeError} */
export function resolveContexts(contexts: unknown = "all"): ContextSelection {
  if (isContextSelection(contexts)) return contexts;
  throw invalid("http.contexts", contextSelectionForm, contexts);
}

/** How much discovery tells of the contract. Default: nothing. @throws {TypeError} */
export function resolveContract(contract: unknown, path = "http.contract"): ContractDetail | undefined {
  if (contract === undefined || contract === "hashes" || contract === "schemas") return contract;
  throw invalid(path, '"hashes" or "schemas"', contract);
}

/** Checks the policy field by field. @throws {TypeError} */
export function resolveCors(cors: unknown): CorsConfig | undefined {
  if (cors === undefined) return undefined;
  const { origin, maxAge, ...rest } = fieldsOf<CorsConfig>(cors, "http.cors", corsKeys);
  const isPattern = (value: unknown): boolean => isOrigin(value) || value instanceof RegExp;
  if (!(
    origin === undefined ||
    origin === "*" ||
    isPattern(origin) ||
    typeof origin === "function" ||
    (Array.isArray(origin) && origin.every(isPattern))
  )) {
    const expected =
      '"*", an origin such as "https://app.example.com" without a path or a slash at its end, a RegExp, a list of these without "*", or a function';
    throw invalid(
      "http.cors.origin",
      expected,
      Array.isArray(origin) ? origin.find((each) => !isPattern(each)) : origin,
    );
  }
  for (const key of ["methods", "allowedHeaders", "exposedHeaders"] as const) {
    const list = rest[key];
    if (list === undefined || (Array.isArray(list) && list.every(isToken))) continue;
    throw invalid(`http.cors.${key}`, key === "methods" ? "a list of methods" : "a list of header names", list);
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && (maxAge as number) >= 0)) {
    throw invalid("http.cors.maxAge", "a whole number of seconds", maxAge);
  }
  for (const key of ["credentials", "varyOrigin"] as const) flag(rest[key], `http.cors.${key}`);
  return cors as CorsConfig;
}

const isToken = (value: unknown): boolean => typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value);

const corsKeys: readonly (keyof CorsConfig)[] = [
  "origin",
  "methods",
  "allowedHeaders",
  "exposedHeaders",
  "credentials",
  "maxAge",
  "varyOrigin",
];
