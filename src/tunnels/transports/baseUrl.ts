import type { TransportLayer } from "../client/carrier";

/** A base URL, read. */
export interface BaseUrl {
  /** Without credentials, query, fragment and the slashes at its end: it may stand in a message. */
  readonly text: string;
  /** Absent for a relative one, and for one that no client can call. */
  readonly url?: URL | undefined;
  /** Why no client can call it. */
  readonly problem?: string | undefined;
}

/** Reads a base URL the way every client does. A query and a fragment are no part of it. */
export function parseBaseUrl(baseUrl: string): BaseUrl {
  const trimmed = baseUrl.trim().replace(/[?#].*$/s, "");
  const shown = trimmed.replace(/^.*@/s, "");
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    if (/^[\\/]{2}.*@/s.test(trimmed)) return { text: shown, problem: holdsCredentials };
    if (/^[a-z][a-z0-9+.-]*:/i.test(trimmed)) return { text: shown, problem: notHttp(shown) };
    return { text: withoutSlashes(trimmed) };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return { text: shown, problem: notHttp(shown) };
  const text = withoutSlashes(url.origin + url.pathname);
  return url.username || url.password ? { text, problem: holdsCredentials } : { text, url };
}

const notHttp = (shown: string): string => `baseUrl "${shown}" has to be an absolute http or https URL.`;
const holdsCredentials = "baseUrl must not hold a user name or password. Set the header they stand for in onRequest.";
const withoutSlashes = (text: string): string => text.replace(/\/+$/, "");

/**
 * Reads the base URL that a client is configured with.
 *
 * @param owner names the function in the error
 * @param option what the function calls it
 * @throws {Error} there is none
 */
export function readBaseUrl(
  config: { readonly baseUrl?: string | undefined } | undefined,
  owner: string,
  option = "baseUrl",
): BaseUrl {
  if (config?.baseUrl) return parseBaseUrl(String(config.baseUrl));
  throw new Error(
    `${owner} requires baseUrl\nSay where the exposure is mounted: { ${option}: "https://api.example.com/__runner" }.`,
  );
}

/**
 * Rejects every call to a base URL that no client can call, with the reason.
 *
 * @param canBeRelative whether a relative one leads somewhere, as it does in a page
 */
export const reachableAddress =
  ({ url, text, problem }: BaseUrl, canBeRelative: () => boolean): TransportLayer =>
  (next) => {
    if (url !== undefined) return next;
    return (request) =>
      problem === undefined && canBeRelative() ? next(request) : Promise.reject(new Error(problem ?? notHttp(text)));
  };
