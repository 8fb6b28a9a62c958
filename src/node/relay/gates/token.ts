import { isRepeated } from "../../server/repeatedHeaders";
import { createTokenMatcher } from "../../server/tokenMatcher";
import { visitorErrors } from "../visitorError";
import { pass, type Gate, type GateVerdict } from "./judge";
import { parametersOf } from "./target";

/** Configures `globals.tunnelGates.token`. */
export interface TokenGateConfig {
  readonly tokens: string | readonly string[];
  /** Header that carries the token, `authorization` as `Bearer <token>`. Default "authorization". */
  readonly header?: string | undefined;
  /** Parameter of the query that may carry it as well. Default none. */
  readonly query?: string | undefined;
}

/** Asks for a token, compared in constant time. @throws {TypeError} the config cannot be meant */
export function createTokenGate(option: string, config: TokenGateConfig): Gate {
  const { tokens, header = "authorization", query } = (config ?? {}) as Partial<TokenGateConfig>;
  const list = tokens === undefined ? [] : [tokens].flat();
  if (list.length === 0 || list.some((token) => typeof token !== "string" || token === "")) {
    throw new TypeError(`${option}: tokens must be a string, or a list of strings, none of them empty.`);
  }
  if (typeof header !== "string" || !/^[\w-]+$/.test(header)) {
    throw new TypeError(`${option}: header must be the name of a header, got "${String(header)}".`);
  }
  if (query !== undefined && (typeof query !== "string" || query === "")) {
    throw new TypeError(`${option}: query must be the name of a parameter, or be left out.`);
  }
  const name = header.toLowerCase();
  const findHolder = createTokenMatcher(list);
  const denied: GateVerdict = {
    kind: "deny",
    failure: { ...visitorErrors.gateAuth, headers: { "www-authenticate": `Bearer realm="tunnel"` } },
  };
  const passHeader: GateVerdict = { kind: "pass", spentHeader: name };
  return {
    name: "token",
    secretParameters: query === undefined ? [] : [query],
    secretHeaders: [name],
    judge({ req, visitor }) {
      const value = req.headers[name];
      const presented = typeof value === "string" && !isRepeated(req, name) ? withoutScheme(value) : "";
      // Asked even of an empty value, so that its absence takes no different path.
      if (findHolder(presented) !== undefined) return passHeader;
      const [first = "", ...more] = query === undefined ? [] : parametersOf(visitor.target, query);
      return query !== undefined && more.length === 0 && findHolder(first) !== undefined ? pass : denied;
    },
  };
}

/** RFC 6750 section 2.1. */
export const withoutScheme = (value: string): string => value.replace(/^bearer +/i, "");
