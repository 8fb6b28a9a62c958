import type { MaybePromise } from "../../lib/typeLevel";
import type { WireHeaders } from "../protocol/wire";

/**
 * Whether a request with cookies may be one that a page of another site had a browser send. The page neither needs to know
 * the cookies nor to read the reply.
 *
 * @param admitsOrigin whether an origin was named explicitly as one that may call
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
export function isCrossSite(
  headers: WireHeaders,
  admitsOrigin: (origin: string) => MaybePromise<boolean>,
): MaybePromise<boolean> {
  const { origin, "sec-fetch-site": site } = headers;
  if (origin === undefined) return !(site === undefined || site === "same-origin" || site === "none");
  if (typeof origin !== "string") return true;
  // Behind TLS termination the scheme is another one than that of the page.
  const host = headers.host ?? headers[":authority"];
  if (typeof host === "string" && hostOf(origin) === hostOf(`http://${host}`)) return false;
  const admitted = admitsOrigin(origin);
  return typeof admitted === "boolean" ? !admitted : admitted.then((isAdmitted) => !isAdmitted);
}

/** In lower case, without the port where that is the usual one; something that equals nothing for what is no URL. */
function hostOf(url: string): unknown {
  try {
    return new URL(url).host.replace(/:(?:80|443)$/, "");
  } catch {
    return NaN;
  }
}
