import { urlToHttpOptions } from "node:url";
import { parseBaseUrl } from "../../tunnels/transports/baseUrl";

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

/** Reads where an absolute base URL leads. @throws {TypeError} it is relative; clients have refused it before */
export function readEndpoint(baseUrl: string): Endpoint {
  const url = new URL(parseBaseUrl(baseUrl).text);
  const { hostname, port } = urlToHttpOptions(url);
  return {
    isSecure: url.protocol === "https:",
    origin: url.origin,
    hostname: hostname ?? url.hostname,
    port: port === undefined || port === "" ? undefined : Number(port),
    basePath: url.pathname === "/" ? "" : url.pathname,
  };
}
