import { urlToHttpOptions } from "node:url";

/** Where a client of Node connects to. */
export interface Endpoint {
  readonly isSecure: boolean;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without brackets around an IPv6 address. */
  readonly hostname: string;
  readonly port: number | undefined;
  /** Path of the exposure, without the slash at the end. */
  readonly basePath: string;
}

/**
 * Reads a base URL.
 *
 * @throws {Error} it is not an absolute http or https URL (relative ones mean something in browsers only), or it holds
 * credentials, which would be dropped
 */
export function readEndpoint(baseUrl: string): Endpoint {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new Error(`baseUrl "${baseUrl}" has to be an absolute http or https URL to be called from Node.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new Error("baseUrl must not hold a user name or password. Set the header they stand for in onRequest.");
  }
  const { hostname, port } = urlToHttpOptions(url);
  return {
    isSecure: url.protocol === "https:",
    origin: url.origin,
    hostname: hostname ?? url.hostname,
    port: port === undefined || port === "" ? undefined : Number(port),
    basePath: url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname,
  };
}
