import { isAsyncContext, type IAsyncContext } from "../../../define/asyncContext";
import { normalizeError } from "../../../errors/normaliseThrown";
import { defaultTokenHeader } from "../../protocol/headers";
import type { TunnelEventSelector, TunnelTaskSelector } from "../../routing/tags";
import type { HeldToken } from "../heldTokens";
import { amount, fieldsOf, flag, invalid } from "../../../lib/configFields";

/** A token, and what its holder is called, is to tasks, and may call. */
export interface HttpToken {
  /** An empty string counts for nothing. */
  readonly token: string;
  /** What the third argument of tasks, rate limits and logs call the holder. Default: `token:` and a digest. */
  readonly name?: string | undefined;
  /** Who the holder is, for tasks; provided under the context that `principal` of `auth` names. */
  readonly principal?: unknown;
  /** Which of the exposed tasks the holder may run. Default: all, or none where `events` or `subscribable` is given. */
  readonly tasks?: TunnelTaskSelector | undefined;
  /** Which of the exposed events the holder may emit. Default: all, or none where `tasks` or `subscribable` is given. */
  readonly events?: TunnelEventSelector | undefined;
  /** Which of the subscribable events the holder may listen to. Default: all, or none where `tasks` or `events` is given. */
  readonly subscribable?: TunnelEventSelector | undefined;
}

/** Who may call. */
export interface HttpAuthConfig {
  /** Header that carries the token. Default "x-runner-token". */
  readonly header?: string | undefined;
  /** Any of them will do; empty strings count for nothing. Compared in constant time. */
  readonly token?: string | readonly string[] | undefined;
  /** Tokens that say more of their holders, beside those of `token`. */
  readonly tokens?: readonly HttpToken[] | undefined;
  /**
   * The context under which what is called finds the principal of its caller, as its token or validator gave it. Its schema
   * looks at the principal, and what callers send for it is ignored. Default: none.
   */
  readonly principal?: IAsyncContext<any> | undefined; // any: the type of the principal is the application's
  /**
   * A cookie that carries a token where the header is missing. Requests with cookies that pages of other sites may have made
   * get 403, unless `cors.origin` names their origin. Default: none.
   */
  readonly cookie?: { readonly name: string } | undefined;
  /**
   * Failures to authenticate that an address may have in a minute; then 429, and no validator is asked. Tokens that match are
   * served all the same. Without `trustedProxies` of `http`, addresses of this machine and of private networks do not count.
   * 0 for no limit. Default 100.
   */
  readonly maxFailures?: number | undefined;
  /** Refuse callers of whom no principal is known, by 401. Default false. */
  readonly required?: boolean | undefined;
  /**
   * Without tokens and validator tasks: `true` serves every caller, `false` none. Default: only programs of this machine.
   */
  readonly allowAnonymous?: boolean | undefined;
}

/** The same without gaps. */
export interface ResolvedAuth {
  /** In lower case. */
  readonly header: string;
  /** `undefined`: none configured. Empty: none will do. */
  readonly tokens: readonly HeldToken[] | undefined;
  readonly allowAnonymous: boolean | undefined;
  readonly principal: IAsyncContext | undefined;
  readonly required: boolean;
  readonly maxFailures: number;
  readonly cookie: string | undefined;
}

/**
 * Fills the gaps.
 *
 * @param path what messages call it
 * @throws {TypeError} the message names the field
 */
export function resolveAuth(auth: unknown, path = "http.auth"): ResolvedAuth {
  const fields = fieldsOf<HttpAuthConfig>(auth, path, authKeys);
  const { header = defaultTokenHeader, token, tokens, allowAnonymous, principal } = fields;
  if (typeof header !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(header)) {
    throw invalid(`${path}.header`, "the name of a header", header);
  }
  if (allowAnonymous !== undefined) flag(allowAnonymous, `${path}.allowAnonymous`);
  if (principal !== undefined && !isAsyncContext(principal)) {
    throw invalid(`${path}.principal`, "an async context, built", principal);
  }
  const held = resolveHeld(tokens, path);
  if (principal !== undefined)
    held?.forEach((each, index) => checkPrincipal(principal, each, `${path}.tokens[${index}]`));
  return {
    header: header.toLowerCase(),
    tokens: joinTokens(resolvePlain(token, path), held, path),
    allowAnonymous: allowAnonymous as boolean | undefined,
    principal,
    cookie: resolveCookie(fields.cookie, path),
    maxFailures: amount(fields.maxFailures, `${path}.maxFailures`, 100),
    required: flag(fields.required, `${path}.required`),
  };
}

const authKeys: readonly (keyof HttpAuthConfig)[] = [
  "header",
  "token",
  "tokens",
  "principal",
  "required",
  "maxFailures",
  "cookie",
  "allowAnonymous",
];

function resolveCookie(cookie: unknown, path: string): string | undefined {
  if (cookie === undefined) return undefined;
  const { name } = fieldsOf<{ name: string }>(cookie, `${path}.cookie`, ["name"]);
  if (typeof name === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  throw invalid(`${path}.cookie.name`, "the name of a cookie", name);
}

/** What is written into a config is looked at before anyone calls. */
function checkPrincipal(context: IAsyncContext, { principal }: HeldToken, path: string): void {
  if (principal === undefined || principal === null) return;
  try {
    context.validate(principal);
  } catch (error) {
    const message = `${path}.principal does not fit context "${context.id}"`;
    throw new TypeError(`${message}: ${normalizeError(error).message}`, { cause: error });
  }
}

/** A list, even an empty one, is a wish to authenticate; a single empty string is a missing environment variable. */
function resolvePlain(token: unknown, path: string): readonly HeldToken[] | undefined {
  if (token === undefined || token === "") return undefined;
  const listed: readonly unknown[] = Array.isArray(token) ? token : [token];
  if (!listed.every((each) => typeof each === "string")) {
    throw new TypeError(`${path}.token must be a string or a list of strings.`);
  }
  for (const each of listed) assertSendable(each, `${path}.token`);
  return listed.map((each) => ({ token: each }));
}

function resolveHeld(tokens: unknown, path: string): readonly HeldToken[] | undefined {
  if (tokens === undefined) return undefined;
  if (!Array.isArray(tokens)) throw invalid(`${path}.tokens`, "a list", tokens);
  return tokens.map((each, index) => resolveOne(each, `${path}.tokens[${index}]`));
}

function resolveOne(stated: unknown, path: string): HeldToken {
  if (stated === undefined) throw invalid(path, "an object", stated);
  const { token, name, principal, tasks, events, subscribable } = fieldsOf<HttpToken>(stated, path, tokenKeys);
  // Not by `invalid`, which quotes what it got.
  if (typeof token !== "string") throw new TypeError(`${path}.token must be a string.`);
  assertSendable(token, `${path}.token`);
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw invalid(`${path}.name`, "a non-empty string", name);
  }
  return {
    token,
    ...(name !== undefined && { name }),
    principal,
    tasks: selector(tasks, `${path}.tasks`) as TunnelTaskSelector | undefined,
    events: selector(events, `${path}.events`) as TunnelEventSelector | undefined,
    subscribable: selector(subscribable, `${path}.subscribable`) as TunnelEventSelector | undefined,
  };
}

/**
 * Tokens that were read from files end in a line break, and headers are read without the blanks around them (RFC 9110 §5.5).
 *
 * @throws {TypeError} no header carries it
 */
function assertSendable(token: string, path: string): void {
  if (token === token.trim() && !/[\0\r\n]/.test(token)) return;
  throw new TypeError(
    `${path} begins or ends with blanks, or holds a line break, so that no request can carry it: use token.trim().`,
  );
}

const tokenKeys: readonly (keyof HttpToken)[] = ["token", "name", "principal", "tasks", "events", "subscribable"];

/** Ids or definitions, or a predicate. */
function selector(value: unknown, path: string): unknown {
  const isId = (item: unknown): boolean =>
    typeof item === "string" || typeof (item as { id?: unknown } | null | undefined)?.id === "string";
  if (value === undefined || typeof value === "function" || (Array.isArray(value) && value.every(isId))) return value;
  if (Array.isArray(value) && value.includes(undefined)) {
    throw new TypeError(`${path} lists undefined: usually a circular import.`);
  }
  throw invalid(path, "a list of ids or definitions, or a function", value);
}

/** One token of two holders would be that of whichever is found first. @throws {TypeError} */
function joinTokens(
  plain: readonly HeldToken[] | undefined,
  held: readonly HeldToken[] | undefined,
  path: string,
): readonly HeldToken[] | undefined {
  if (held === undefined) return plain?.filter(isThere);
  const known = new Set(plain?.map(({ token }) => token));
  for (const [index, { token }] of held.entries()) {
    if (token === "") continue;
    if (known.has(token)) throw new TypeError(`${path}.tokens[${index}].token is there twice.`);
    known.add(token);
  }
  return [...(plain ?? []), ...held].filter(isThere);
}

const isThere = ({ token }: HeldToken): boolean => token !== "";
