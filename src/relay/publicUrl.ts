/** What a public URL can tell of a binding. */
export interface PublicUrlFacts {
  readonly port: number;
  readonly name?: string | undefined;
  readonly session?: string | undefined;
  readonly project?: string | undefined;
  readonly container?: string | undefined;
  readonly node?: string | undefined;
}

type Placeholder = keyof PublicUrlFacts;

/** What a request's host, or path, says of the binding it is for. */
export interface PublicUrlMatch {
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly session?: string | undefined;
  /** The part of the path that led here, without a slash at its end; `""` where the host did. */
  readonly prefix: string;
}

/** A pattern such as `https://{port}-{name}.tun.example.com`, compiled once. */
export interface PublicUrlPattern {
  /** @returns `undefined` where the pattern needs what the binding does not have */
  format(facts: PublicUrlFacts): string | undefined;
  /** @param host in lower case, without port @param path of the request, decoded once */
  match(host: string, path: string): PublicUrlMatch | undefined;
  /** Whether a host is the relay's own: the one of a pattern by path, or one whose name no binding may have. */
  isOwnHost(host: string): boolean;
  /** Whether hosts alone decide; else a prefix of the path does, the longest first. */
  readonly isByHost: boolean;
  /** Length of the constant part of the path. */
  readonly prefixLength: number;
}

/** One label of a host name (RFC 1035), which a binding's name becomes. */
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const shapes: Readonly<Record<Placeholder, string>> = {
  port: "[0-9]{1,5}",
  name: label,
  session: "[a-z0-9_]{1,64}",
  project: label,
  container: label,
  node: label,
};

/** Names that would lead elsewhere, or pretend to. */
const reservedNames: ReadonlySet<string> = /* @__PURE__ */ new Set(["www", "api", "admin", "relay", "localhost"]);

/** Which names bindings may have, for messages. */
export const bindableNames =
  "a name is one label of a host name, in small letters, and none of www, api, admin, relay and localhost";

/** Whether a binding may have this name. */
export const isBindableName = (name: string): boolean =>
  new RegExp(`^${label}$`).test(name) && !reservedNames.has(name) && !name.startsWith("_");

/**
 * Compiles a pattern.
 *
 * @throws {TypeError} it is no http or https URL, has an unknown placeholder, or names no binding
 */
export function compilePublicUrl(pattern: string): PublicUrlPattern {
  const [, scheme, authority = "", path = ""] = /^(https?):\/\/([^/]+)(\/.*)?$/.exec(pattern) ?? [];
  if (scheme === undefined) throw invalid(pattern, "it is no http or https URL");
  for (const [, placeholder] of pattern.matchAll(/\{([^}]*)\}/g)) {
    if (!Object.hasOwn(shapes, placeholder as string)) throw invalid(pattern, `{${placeholder}} is no placeholder`);
  }
  const [host = "", portPart] = splitAuthority(authority);
  const isByHost = host.includes("{");
  const cut = path.endsWith("/") ? path.slice(0, -1) : path;
  if (!isByHost && !cut.includes("{") && portPart !== "{port}") throw invalid(pattern, "nothing in it names a binding");
  const hostShape = toRegExp(host.toLowerCase(), "");
  const pathShape = toRegExp(cut, "(?=/|$)");

  return {
    isByHost,
    isOwnHost(requestHost) {
      const found = hostShape.exec(requestHost);
      const name = found?.groups?.name;
      return found !== null && (isByHost ? name !== undefined && !isBindableName(name) : true);
    },
    prefixLength: cut.replace(/\{[^}]*\}/g, "").length,
    format(facts) {
      let isComplete = true;
      const text = pattern.replace(/\{([^}]*)\}/g, (_whole, placeholder: Placeholder) => {
        const value = facts[placeholder];
        if (value === undefined) isComplete = false;
        return String(value);
      });
      return isComplete ? text : undefined;
    },
    match(requestHost, requestPath) {
      const byHost = hostShape.exec(requestHost);
      if (byHost === null) return undefined;
      const byPath = isByHost && cut === "" ? undefined : pathShape.exec(requestPath);
      if (byPath === null) return undefined;
      const { name, port, session } = { ...byHost.groups, ...byPath?.groups };
      if (name !== undefined && !isBindableName(name)) return undefined;
      const portNumber = port === undefined ? undefined : Number(port);
      if (portNumber !== undefined && portNumber > 65_535) return undefined;
      return { name, port: portNumber, session, prefix: byPath?.[0] ?? "" };
    },
  };
}

/** Several patterns, as one environment variable holds them. */
export const splitPatterns = (text: string): readonly string[] =>
  text
    .split(",")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");

function splitAuthority(authority: string): [host: string, port: string | undefined] {
  const at = authority.lastIndexOf(":");
  return at === -1 || authority.endsWith("]")
    ? [authority, undefined]
    : [authority.slice(0, at), authority.slice(at + 1)];
}

function toRegExp(text: string, end: string): RegExp {
  const seen = new Set<string>();
  const source = text.split(/(\{[^}]*\})/).map((part) => {
    const placeholder = part.startsWith("{") ? (part.slice(1, -1) as Placeholder) : undefined;
    if (placeholder === undefined) return part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
    if (seen.has(placeholder)) return `\\k<${placeholder}>`;
    seen.add(placeholder);
    return `(?<${placeholder}>${shapes[placeholder]})`;
  });
  return new RegExp(`^${source.join("")}${end === "" ? "$" : end}`);
}

const invalid = (pattern: string, reason: string): TypeError =>
  new TypeError(`The public URL pattern "${pattern}" cannot be used: ${reason}.`);
