import { fromEnvironment, readToken, readWhole } from "../values";
import { UsageError } from "../usageError";

/** Of every command that talks to a server. */
export const serverFlags = {
  token: { type: "string", value: "<t>", about: "credentials; default RUNNER_TOKEN" },
  header: {
    type: "string",
    value: "<name: value>",
    multiple: true,
    about: "a header of every request, as a token under another name",
  },
  timeout: { type: "string", value: "<s>", about: "seconds to wait for a reply; default 30" },
} as const;

export const serverPositional = {
  name: "url",
  about: "where the exposure is, as https://api.example.com/__runner; without a path, at /__runner",
} as const;

/** Where a server is, and what goes along with every request. */
export interface ServerAddress {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

interface GivenFlags {
  readonly token?: string;
  readonly header?: readonly string[];
  readonly timeout?: string;
}

const defaultBasePath = "/__runner";
const maxTimeoutSeconds = 86_400;

/** @throws {UsageError} the message never has the token in it */
export function readServer(url: string, { token: given, header = [], timeout = "30" }: GivenFlags): ServerAddress {
  const token = fromEnvironment(given, "RUNNER_TOKEN");
  return {
    baseUrl: readBaseUrl(url),
    token: token === undefined ? undefined : readToken(token),
    headers: Object.fromEntries(header.map(readHeader)),
    timeoutMs: readWhole("--timeout", timeout, [1, maxTimeoutSeconds]) * 1000,
  };
}

function readBaseUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`<url> must be an http or https URL, as http://127.0.0.1:7070${defaultBasePath}.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("<url> must have no user name and password in it. Pass credentials by --token.");
  }
  if (url.search !== "" || url.hash !== "") throw new UsageError("<url> must have no query and no fragment.");
  if (url.pathname === "/") url.pathname = defaultBasePath;
  return url.href.replace(/\/+$/, "");
}

function readHeader(given: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e]*)$/.exec(given) ?? [];
  // The value may be a secret.
  if (name === undefined || value === undefined) throw new UsageError('--header must be given as "name: value".');
  return [name.toLowerCase(), value.trim()];
}
